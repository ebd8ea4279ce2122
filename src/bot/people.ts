import { decider, groupsThatMatter } from '../fleet/access.ts';
import type { Fleet, Verb } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Person } from './ports.ts';
import type { Memberships, Profile, SlackDirectory } from './slack-directory.ts';

/** A machine that the person may not touch, and why, as a sentence for them. */
export interface Denial {
  readonly machine: Machine;
  readonly reason: string;
}

/** The machines of a question, parted by the access table. */
export interface Permission {
  readonly allowed: readonly Machine[];
  readonly denied: readonly Denial[];
}

/**
 * The person behind one command or click. Slack is asked who they are when it first matters, and at most
 * once: make a new Asker for every request, so that no decision rests on an old answer.
 */
export class Asker {
  readonly userId: string;
  readonly teamId: string;
  readonly #fleet: Fleet;
  readonly #directory: SlackDirectory;
  #profile: Promise<Profile> | undefined;
  #memberships: Promise<Memberships> | undefined;

  constructor(userId: string, teamId: string, fleet: Fleet, directory: SlackDirectory) {
    this.userId = userId;
    this.teamId = teamId;
    this.#fleet = fleet;
    this.#directory = directory;
  }

  /**
   * Which of the machines the person may do this with. Groups are asked about only where the rules that
   * name the person are not enough, because Slack limits that call to about 20 a minute.
   */
  async permission(verb: Verb, machines: readonly Machine[]): Promise<Permission> {
    const excluded = await this.exclusion();
    const alone = this.#decide(verb, machines, excluded, []);
    const groups = groupsThatMatter(this.#fleet);
    if (excluded !== undefined || alone.denied.length === 0 || groups.length === 0) return alone;

    this.#memberships ??= this.#directory.memberships(this.userId, groups);
    const { groupIds, unanswered } = await this.#memberships;
    const permission = this.#decide(verb, machines, excluded, groupIds);
    if (unanswered.length === 0) return permission;
    const doubt = `Slack could not be asked who is in user group ${unanswered.join(', ')}, so nobody counts as a member. Try again in a minute.`;
    return {
      allowed: permission.allowed,
      denied: permission.denied.map(({ machine, reason }) => ({ machine, reason: `${reason} ${doubt}` })),
    };
  }

  /** Why the person is never allowed anything (guest, bot, unknown to Slack, …); undefined where they are not. */
  async exclusion(): Promise<string | undefined> {
    this.#profile ??= this.#directory.profile(this.userId);
    return (await this.#profile).excluded;
  }

  /** Whether the person may do this with at least one machine of the fleet. */
  async mayAnywhere(verb: Verb): Promise<boolean> {
    const { allowed } = await this.permission(verb, [...this.#fleet.machines.values()]);
    return allowed.length > 0;
  }

  #decide(
    verb: Verb,
    machines: readonly Machine[],
    excluded: string | undefined,
    groupIds: readonly string[],
  ): Permission {
    const person: Person = {
      userId: this.userId,
      teamId: this.teamId,
      excluded: excluded !== undefined,
      groupIds,
    };
    const decide = decider(this.#fleet, person, verb);
    const allowed: Machine[] = [];
    const denied: Denial[] = [];
    for (const machine of machines) {
      const decision = decide(machine);
      if (decision.allowed) allowed.push(machine);
      else denied.push({ machine, reason: excluded ?? decision.reason });
    }
    return { allowed, denied };
  }
}
