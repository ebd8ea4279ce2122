import { type Decision, decider, groupsThatMatter, needsSecondPerson } from '../fleet/access.ts';
import type { Risk } from '../fleet/action.ts';
import type { ApprovalDecision, Question } from '../fleet/approval.ts';
import { explainAccess, explainRows } from '../fleet/explain-access.ts';
import type { Fleet, TwoPeopleVerb, Verb } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import { mayDecide } from '../fleet/may-decide.ts';
import type { PersonRef } from '../fleet/requester.ts';
import type { Person } from './ports.ts';
import type { Profile, SlackDirectory } from './slack-directory.ts';

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
  /** By group id; undefined where Slack could not be asked. */
  readonly #isMember = new Map<string, Promise<boolean | undefined>>();

  constructor(userId: string, teamId: string, fleet: Fleet, directory: SlackDirectory) {
    this.userId = userId;
    this.teamId = teamId;
    this.#fleet = fleet;
    this.#directory = directory;
  }

  /** The person as records name them. */
  get requester(): PersonRef {
    return { kind: 'person', userId: this.userId, teamId: this.teamId };
  }

  /**
   * Which of the machines the person may do this with. Slack is asked only about groups that could make a
   * difference, and about each once, because it limits that call to about 20 a minute in the workspace.
   *
   * @param risk how much harm it may do, for `act` and `approve`; without it any risk will do
   */
  async permission(verb: Verb, machines: readonly Machine[], risk?: Risk): Promise<Permission> {
    const excluded = await this.exclusion();
    const decide = (groupIds: readonly string[]) =>
      parted(machines, decider(this.#fleet, this.#person(excluded, groupIds), verb, risk), excluded);
    const alone = decide([]);
    if (excluded !== undefined) return alone;
    const deniedAlone = alone.denied.map(({ machine }) => machine);
    const groupIds = await this.#groupsOf(groupsThatMatter(this.#fleet, verb, deniedAlone, risk));
    const permission = decide(groupIds);
    const doubt = await this.doubt();
    if (doubt === undefined) return permission;
    return {
      allowed: permission.allowed,
      denied: permission.denied.map(({ machine, reason }) => ({ machine, reason: `${reason} ${doubt}` })),
    };
  }

  /**
   * Whether the person may decide this, and through which groups. Whoever Slack excludes never may; a group that
   * Slack could not be asked about does not count. Groups are looked up where it depends on them.
   */
  async mayDecide(machine: Machine, question: Question, kind: ApprovalDecision['kind']): Promise<Decision> {
    const excluded = await this.exclusion();
    if (excluded !== undefined) return { allowed: false, reason: excluded, groups: [] };
    const alone = mayDecide(this.#fleet, machine, question, this.#person(undefined, []), kind);
    if (alone.allowed) return alone;
    const groups = await this.#groupsOf(groupsThatMatter(this.#fleet, 'approve', [machine], question.risk));
    const decision = mayDecide(this.#fleet, machine, question, this.#person(undefined, groups), kind);
    const doubt = decision.allowed ? undefined : await this.doubt();
    return doubt === undefined ? decision : { ...decision, reason: `${decision.reason} ${doubt}` };
  }

  /** Whether the person is one of these people, or in one of these user groups. Nobody whom Slack excludes is. */
  async isAmong(ids: readonly string[]): Promise<boolean> {
    if ((await this.exclusion()) !== undefined) return false;
    if (ids.includes(this.userId)) return true;
    return (await this.#groupsOf(ids.filter((id) => id.startsWith('S')))).length > 0;
  }

  /** Why the person may do this or may not, rule by rule of the access table. */
  async explain(verb: Verb, machine: Machine, risk?: Risk): Promise<readonly string[]> {
    const { person, excluded } = await this.#asOf(verb, machine, risk);
    const doubt = excluded ?? (await this.doubt());
    return [
      ...explainAccess(this.#fleet, person, verb, machine, risk),
      ...(doubt === undefined ? [] : [doubt]),
    ];
  }

  /** What each row of the access table says of that, without a decision. */
  async explainRows(verb: Verb, machine: Machine, risk?: Risk): Promise<readonly string[]> {
    const { person } = await this.#asOf(verb, machine, risk);
    return explainRows(this.#fleet, person, verb, machine, risk);
  }

  /** Whether the person, who may do this with all of the machines, needs another one to agree. */
  async needsSecondPerson(verb: TwoPeopleVerb, machines: readonly Machine[]): Promise<boolean> {
    const excluded = await this.exclusion();
    const needs = (groupIds: readonly string[]) => (machine: Machine) =>
      needsSecondPerson(this.#fleet, this.#person(excluded, groupIds), verb, machine);
    const alone = machines.filter(needs([]));
    const groupIds = await this.#groupsOf(groupsThatMatter(this.#fleet, verb, alone));
    return alone.some(needs(groupIds));
  }

  /** Why the person is never allowed anything (guest, bot, unknown to Slack, …); undefined where they are not. */
  async exclusion(): Promise<string | undefined> {
    this.#profile ??= this.#directory.profile(this.userId);
    return (await this.#profile).excluded;
  }

  /** What makes the denials so far uncertain, as a sentence for the person; undefined where nothing does. */
  async doubt(): Promise<string | undefined> {
    const answers = await Promise.all(this.#isMember.values());
    const unanswered = [...this.#isMember.keys()].filter((_groupId, index) => answers[index] === undefined);
    if (unanswered.length === 0) return undefined;
    return `Slack could not be asked who is in user group ${unanswered.join(', ')}, so nobody counts as a member. Try again in a minute.`;
  }

  /** Whether Slack answered all that it was asked about the person so far. */
  async isCertain(): Promise<boolean> {
    const profile = await this.#profile;
    return profile?.isDoubt !== true && (await this.doubt()) === undefined;
  }

  /** Whether the person may do this with at least one machine of the fleet. */
  async mayAnywhere(verb: Verb): Promise<boolean> {
    const { allowed } = await this.permission(verb, [...this.#fleet.machines.values()]);
    return allowed.length > 0;
  }

  /** The person with the groups on which this depends. */
  async #asOf(verb: Verb, machine: Machine, risk: Risk | undefined) {
    const excluded = await this.exclusion();
    const matter = excluded === undefined ? groupsThatMatter(this.#fleet, verb, [machine], risk) : [];
    return { person: this.#person(excluded, await this.#groupsOf(matter)), excluded };
  }

  /** Those of the groups that the person is in. */
  async #groupsOf(groupIds: readonly string[]): Promise<readonly string[]> {
    const answers = await Promise.all(
      groupIds.map((groupId) => {
        const answer = this.#isMember.get(groupId) ?? this.#directory.isMember(this.userId, groupId);
        this.#isMember.set(groupId, answer);
        return answer;
      }),
    );
    return groupIds.filter((_groupId, index) => answers[index] === true);
  }

  #person(excluded: string | undefined, groupIds: readonly string[]): Person {
    return { userId: this.userId, teamId: this.teamId, excluded: excluded !== undefined, groupIds };
  }
}

function parted(
  machines: readonly Machine[],
  decide: (machine: Machine) => Decision,
  excluded: string | undefined,
): Permission {
  const allowed: Machine[] = [];
  const denied: Denial[] = [];
  for (const machine of machines) {
    const decision = decide(machine);
    if (decision.allowed) allowed.push(machine);
    else denied.push({ machine, reason: excluded ?? decision.reason });
  }
  return { allowed, denied };
}
