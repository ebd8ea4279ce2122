import { checkOf } from '../fleet/checks/index.ts';
import { InputError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import {
  type Campaign,
  describeTask,
  type Origin,
  questionMaxCharacters,
  type Request,
  type Task,
} from '../fleet/request.ts';
import { selectMachines, unmatchedAlternatives } from '../fleet/selector.ts';
import { suggest } from '../fleet/suggest.ts';
import { deniedAll } from './denied.ts';
import { machineHint } from './machine-hint.ts';
import { checkNamesOf, listed, namesOf } from './names-of.ts';
import type { Asker } from './people.ts';
import type { Accepted, Redact, RequestLimits } from './ports.ts';
import type { Services } from './services.ts';
import { noticeView } from './views/notice.ts';
import type { View } from './views/view.ts';

const shortTaskChars = 200;

/** Who asks, where the answer goes, and the event that this is. */
export interface Submission {
  readonly fleet: Fleet;
  readonly asker: Asker;
  readonly origin: Origin;
  /** The same for every delivery of the same event. */
  readonly eventId: string;
  readonly services: Services;
}

/** What was stored, and what the person should know beyond the messages that appear in the channel. */
export interface Submitted {
  readonly accepted: Accepted;
  readonly notice: View | undefined;
}

/**
 * Stores a task for every machine that the selector matches and that the person may give it to; more than
 * one machine makes it a campaign. Machines that are left out are named in the notice, where the person may
 * view them. Secrets in a question go no further than here.
 *
 * @throws InputError, NotAllowedError, StoreUnavailableError with sentences for the person
 */
export async function submit(
  { selector, task: asked }: { readonly selector: string; readonly task: Task },
  { fleet, asker, origin, eventId, services }: Submission,
): Promise<Submitted> {
  const task = withoutSecrets(asked, services.redact);
  const obstacle = services.membership.obstacle(origin.channel);
  const selected = await selectFor(selector, fleet, asker, task);
  const { allowed, denied } = await asker.permission(task.kind, selected);
  if (allowed.length === 0) throw await deniedAll({ verb: task.kind, selector, denied }, fleet, asker);

  const machines = task.kind === 'check' ? withCheck(task.check, allowed) : allowed;
  const hindered = await obstacle;
  if (hindered !== undefined) throw new InputError(hindered);

  const requester = { kind: 'person', userId: asker.userId, teamId: asker.teamId } as const;
  const acceptedAt = services.clock();
  const campaign: Campaign | undefined =
    machines.length > 1
      ? {
          id: services.newCampaignId(),
          selector,
          task,
          requester,
          origin,
          machines: [...namesOf(machines)],
          acceptedAt,
        }
      : undefined;
  const requests = machines.map(
    (machine): Request => ({
      eventId,
      machine: machine.name,
      task,
      requester,
      origin,
      ...(campaign === undefined ? {} : { campaign: campaign.id }),
      acceptedAt,
    }),
  );
  const accepted = await services.requests.accept(requests, limitsOf(fleet), campaign);
  const able = new Set(machines);
  const unable = allowed.filter((machine) => !able.has(machine));
  const forbidden = denied.map((denial) => denial.machine);
  const { allowed: named } = await asker.permission('view', forbidden);
  const leftOut = {
    unmatched: unmatchedAlternatives(fleet, selector),
    unable,
    named,
    unnamed: named.length < forbidden.length,
    doubt: await asker.doubt(),
  };
  return { accepted, notice: noticeOf(task, machines, leftOut) };
}

/** A machine that has meanwhile left the fleet file keeps no limit: its run says that it is not known. */
function limitsOf({ machines, perPerson }: Fleet): RequestLimits {
  return { perPerson, perMachine: (name) => machines.get(name)?.limits };
}

/** A mark in the place of a secret may be longer than the secret; the question stays one that can be stored. */
function withoutSecrets(task: Task, redact: Redact): Task {
  if (task.kind === 'check') return task;
  return { ...task, question: redact(task.question).slice(0, questionMaxCharacters) };
}

/** The machines that the selector matches. Suggests only names of machines that the person may touch. */
async function selectFor(
  selector: string,
  fleet: Fleet,
  asker: Asker,
  task: Task,
): Promise<readonly Machine[]> {
  const machines = selectMachines(fleet, selector);
  if (machines.length > 0) return machines;
  const hint = await machineHint(selector, task.kind, fleet, asker);
  throw new InputError(`No machine matches \`${selector}\`.${hint}`);
}

function withCheck(name: string, machines: readonly Machine[]): readonly Machine[] {
  const able = machines.filter((machine) => checkOf(machine, name) !== undefined);
  if (able.length > 0) return able;
  const known = checkNamesOf(machines);
  const meant = suggest(name, known);
  const hint =
    meant !== undefined
      ? `Did you mean \`${meant}\`?`
      : known.length > 0
        ? `There are: ${known.map((check) => `\`${check}\``).join(', ')}.`
        : 'The fleet file lists no check for it.';
  throw new InputError(`${listed(machines)} has no check \`${name}\`. ${hint}`);
}

/** The task in a sentence that leaves room for others: a notice that is too long is cut at its end. */
function shortTask(task: Task): string {
  const words = describeTask(task);
  return words.length <= shortTaskChars ? words : `${words.slice(0, shortTaskChars)}…`;
}

/** What of the selector the task was not given to. */
interface LeftOut {
  /** Parts of the selector that match no machine. */
  readonly unmatched: readonly string[];
  /** Those that the check is not authorised for. */
  readonly unable: readonly Machine[];
  /** Those that the person may not give it to, but may view. */
  readonly named: readonly Machine[];
  /** Whether there are others, whose names the person is not told. */
  readonly unnamed: boolean;
  readonly doubt: string | undefined;
}

/** undefined where every machine that was asked for is served by a message of its own. */
function noticeOf(
  task: Task,
  machines: readonly Machine[],
  { unmatched, unable, named, unnamed, doubt }: LeftOut,
): View | undefined {
  const forbidden = [
    ...(named.length > 0 ? [listed(named)] : []),
    ...(unnamed ? ['machines that you may not view'] : []),
  ];
  const sentences = [
    machines.length > 1 ? `${machines.length} machines: ${shortTask(task)}. One summary appears here.` : '',
    unmatched.length > 0 ? `Nothing matches ${unmatched.map((part) => `\`${part}\``).join(', ')}.` : '',
    unable.length > 0
      ? `Left out, because the fleet file does not list this check for: ${listed(unable)}.`
      : '',
    forbidden.length > 0 ? `Left out, because you may not: ${forbidden.join(', and ')}. ${doubt ?? ''}` : '',
  ].filter((sentence) => sentence !== '');
  return sentences.length === 0 ? undefined : noticeView({ text: sentences.join('\n'), kind: 'info' });
}
