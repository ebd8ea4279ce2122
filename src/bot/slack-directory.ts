import type { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import { z } from 'zod';
import { slackErrorCode } from './slack-error-code.ts';

/** What Slack says of a person. `excluded` carries the reason, as a sentence for that person. */
export type Profile = {
  readonly excluded?: string;
  /** Excluded only because Slack did not say who they are. */
  readonly isDoubt?: true;
};

/** Who somebody is, asked of Slack at every call. Neither method rejects: what is not known is said. */
export interface SlackDirectory {
  profile(userId: string): Promise<Profile>;
  /** undefined: Slack could not be asked. */
  isMember(userId: string, groupId: string): Promise<boolean | undefined>;
}

/** Who we are to Slack: the workspace that the bot is installed in, and its Enterprise Grid if it has one. */
export interface Home {
  readonly teamId: string;
  readonly enterpriseId?: string | undefined;
}

/** The fields of `users.info` that matter. Slack leaves out flags that do not apply. */
const userSchema = z.object({
  user: z.object({
    team_id: z.string(),
    enterprise_user: z.object({ enterprise_id: z.string() }).optional(),
    deleted: z.boolean().default(false),
    is_bot: z.boolean().default(false),
    is_restricted: z.boolean().default(false),
    is_ultra_restricted: z.boolean().default(false),
    is_stranger: z.boolean().default(false),
  }),
});

type User = z.infer<typeof userSchema>['user'];

const membersSchema = z.object({ users: z.array(z.string()) });

/**
 * Whether the person belongs to another organisation. `is_stranger` alone does not tell: it is false for
 * somebody of a Slack Connect channel that the bot is in (docs.slack.dev/reference/objects/user-object).
 */
function isExternal(user: User, home: Home): boolean {
  const sameGrid =
    home.enterpriseId !== undefined && user.enterprise_user?.enterprise_id === home.enterpriseId;
  return user.is_stranger || (user.team_id !== home.teamId && !sameGrid);
}

/**
 * The directory behind the access table: `users.info` and `usergroups.users.list` (scopes `users:read` and
 * `usergroups:read`). Nothing is cached, because what was true a minute ago may have been taken away since.
 *
 * @param options.home called for every answer; known once the bot has started
 */
export function createSlackDirectory(options: {
  client: WebClient;
  home: () => Home;
  log: Logger;
}): SlackDirectory {
  const { client, home, log } = options;
  return {
    async profile(userId) {
      try {
        const { user } = userSchema.parse(await client.users.info({ user: userId }));
        if (user.deleted) return { excluded: 'Your Slack account is deactivated.' };
        if (user.is_bot) return { excluded: 'Bots may not use fleetbot.' };
        if (isExternal(user, home())) {
          return { excluded: 'People of other organisations may not use fleetbot.' };
        }
        if (user.is_restricted || user.is_ultra_restricted) {
          return { excluded: 'Guests of this workspace may not use fleetbot.' };
        }
        return {};
      } catch (error) {
        log.warn({ err: error, userId }, 'users.info failed: the person is denied');
        return {
          excluded: `Slack could not be asked who you are (${slackErrorCode(error)}). Try again in a minute.`,
          isDoubt: true,
        };
      }
    },

    async isMember(userId, groupId) {
      try {
        const { users } = membersSchema.parse(await client.usergroups.users.list({ usergroup: groupId }));
        return users.includes(userId);
      } catch (error) {
        log.warn({ err: error, groupId }, 'usergroups.users.list failed: nobody counts as a member');
        return undefined;
      }
    },
  };
}
