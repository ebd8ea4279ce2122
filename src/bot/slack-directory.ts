import type { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import { z } from 'zod';
import { slackErrorCode } from './slack-error-code.ts';

/** What Slack says of a person. `excluded` carries the reason, as a sentence for that person. */
export type Profile = { readonly excluded?: string };

/** The groups the person is in, and those that Slack could not be asked about. */
export interface Memberships {
  readonly groupIds: readonly string[];
  readonly unanswered: readonly string[];
}

/** Who somebody is, asked of Slack at every call. Neither method rejects: what is not known is said. */
export interface SlackDirectory {
  profile(userId: string): Promise<Profile>;
  memberships(userId: string, groupIds: readonly string[]): Promise<Memberships>;
}

/** The fields of `users.info` that matter. Slack leaves out flags that do not apply. */
const userSchema = z.object({
  user: z.object({
    deleted: z.boolean().default(false),
    is_bot: z.boolean().default(false),
    is_restricted: z.boolean().default(false),
    is_ultra_restricted: z.boolean().default(false),
    is_stranger: z.boolean().default(false),
  }),
});

const membersSchema = z.object({ users: z.array(z.string()) });

/**
 * The directory behind the access table: `users.info` and `usergroups.users.list` (scopes `users:read` and
 * `usergroups:read`). Nothing is cached, because what was true a minute ago may have been taken away since.
 */
export function createSlackDirectory(client: WebClient, log: Logger): SlackDirectory {
  return {
    async profile(userId) {
      try {
        const { user } = userSchema.parse(await client.users.info({ user: userId }));
        if (user.deleted) return { excluded: 'Your Slack account is deactivated.' };
        if (user.is_bot) return { excluded: 'Bots may not use fleetbot.' };
        if (user.is_stranger) return { excluded: 'People of other organisations may not use fleetbot.' };
        if (user.is_restricted || user.is_ultra_restricted) {
          return { excluded: 'Guests of this workspace may not use fleetbot.' };
        }
        return {};
      } catch (error) {
        log.warn({ err: error, userId }, 'users.info failed: the person is denied');
        return {
          excluded: `Slack could not be asked who you are (${slackErrorCode(error)}). Try again in a minute.`,
        };
      }
    },

    async memberships(userId, groupIds) {
      const answers = await Promise.all(
        groupIds.map(async (groupId) => {
          try {
            const { users } = membersSchema.parse(await client.usergroups.users.list({ usergroup: groupId }));
            return { groupId, member: users.includes(userId) };
          } catch (error) {
            log.warn({ err: error, groupId }, 'usergroups.users.list failed: nobody counts as a member');
            return { groupId, member: undefined };
          }
        }),
      );
      const idsWhere = (member: boolean | undefined) =>
        answers.filter((answer) => answer.member === member).map((answer) => answer.groupId);
      return { groupIds: idsWhere(true), unanswered: idsWhere(undefined) };
    },
  };
}
