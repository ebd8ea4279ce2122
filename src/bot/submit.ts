import { acceptWithinLimits } from '../fleet/accept-within-limits.ts';
import { checkOf } from '../fleet/checks/index.ts';
import { InputError, type LimitError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Halt } from '../fleet/halt.ts';
import { haltedAmong } from '../fleet/halted-among.ts';
import { leftOutByHalts, leftOutByLimits, leftOutWithoutCheck } from '../fleet/left-out.ts';
import type { Machine } from '../fleet/machine.ts';
import { planRequests } from '../fleet/plan-requests.ts';
import { type Origin, paramWords, questionMaxCharacters, type Request, type Task } from '../fleet/request.ts';
import { selectMachines, unmatchedAlternatives } from '../fleet/selector.ts';
import { suggest } from '../fleet/suggest.ts';
import type { WaveSize } from '../fleet/waves.ts';
import { deniedAll, deniedMachines } from './denied.ts';
import { leftOutView } from './left-out.ts';
import { machineHint } from './machine-hint.ts';
import { checkNamesOf, listed } from './names-of.ts';
import { requireSeals } from './no-decision-key.ts';
import { noSignerSentences } from './no-signer.ts';
import type { Asker } from './people.ts';
import { planAction, riskOf } from './plan-action.ts';
import type { Accepted, Redact, RequestLimits } from './ports.ts';
import { quarantineSentences } from './quarantines.ts';
import type { Services } from './services.ts';
import { silenceSentences } from './silence-sentences.ts';
import { haltedLine } from './views/halted-line.ts';
import { noticeView } from './views/notice.ts';
import type { View } from './views/view.ts';
import { withinBudgets } from './within-budgets.ts';

const changeGoesOn = 'What you asked for goes on: people are asked, and what they approve is done.';

/** Who asks, where the answer goes, and the event that this is. */
export interface Submission {
  readonly fleet: Fleet;
  readonly asker: Asker;
  readonly origin: Origin;
  /** The same for every delivery of the same event. */
  readonly eventId: string;
  readonly services: Services;
}

/** What a person wants of which machines. */
export interface Wish {
  readonly selector: string;
  readonly task: Task;
  readonly waves?: readonly WaveSize[] | undefined;
  /** How many machines may be at work at once. */
  readonly atOnce?: number | undefined;
}

/**
 * What was stored, and what the person should know beyond the messages that appear in the channel. Nothing is
 * stored where every machine is halted.
 */
export interface Submitted {
  readonly accepted: Accepted | undefined;
  readonly notice: View | undefined;
}

/**
 * Stores a task for every machine that the selector matches and that the person may give it to; more than
 * one machine makes it a campaign. Machines that are left out are named in the notice, where the person may
 * view them. Secrets go no further than here. An action is asked for on one machine.
 *
 * @throws InputError, NotAllowedError, LimitError, StoreUnavailableError with sentences for the person
 */
export async function submit(wish: Wish, submission: Submission): Promise<Submitted> {
  const { selector, waves, atOnce } = wish;
  const { fleet, asker, origin, eventId, services } = submission;
  const clean = withoutSecrets(wish.task, services.redact);
  const obstacle = services.membership.obstacle(origin.channel);
  const selected = await selectFor(selector, fleet, asker, clean);
  const { allowed, denied } = await asker.permission(clean.kind, selected, riskOf(clean, fleet));
  if (allowed.length === 0) throw await deniedAll({ verb: clean.kind, selector, denied }, fleet, asker);

  const task = withDefaults(clean, allowed, submission);
  const able = task.kind === 'check' ? withCheck(task.check, allowed) : allowed;
  const ables = new Set(able);
  const unable = allowed.filter((machine) => !ables.has(machine));
  const hindered = await obstacle;
  if (hindered !== undefined) throw new InputError(hindered);

  const halted = haltedAmong(able, await services.halts.active());
  const atHalt = new Set([...halted.values()].flat());
  const free = able.filter((machine) => !atHalt.has(machine));
  if (free.length === 0) return { accepted: undefined, notice: allHaltedView(halted) };

  const attempt = { by: asker.requester, what: task.kind, target: selector };
  const noteLimit = (error: LimitError) => services.refusals.note(error, attempt);
  const { affordable, overBudget } = await withinBudgets(free, task, asker, services, noteLimit);

  const sentences = quarantineSentences(affordable, services);
  const silenced = silenceSentences(affordable, services, task.kind === 'act' ? changeGoesOn : undefined);
  const unsigned = task.kind === 'act' ? noSignerSentences(services) : [];
  const leftOutBefore = [
    ...(task.kind === 'check' ? leftOutWithoutCheck(unable, task.check) : []),
    ...leftOutByHalts(halted),
    ...leftOutByLimits(overBudget),
  ];
  const { accepted, machines, overLimit } = await acceptWithinLimits(
    affordable,
    (some, over) => {
      const leftOut = [...leftOutBefore, ...leftOutByLimits(over)];
      const requester = asker.requester;
      const wanted = { task, machines: some, selector, requester, origin, eventId, waves, atOnce, leftOut };
      const { requests, campaign } = planRequests(wanted, services.newCampaignId, services.clock());
      const sealedRequests = requests.map((request) => sealed(request, services));
      return services.requests.accept(sealedRequests, limitsOf(fleet), campaign);
    },
    noteLimit,
  );
  if (!accepted.duplicate) services.meter.accepted(task.kind, accepted.runIds.length);
  const leftOut = {
    unmatched: unmatchedAlternatives(fleet, selector),
    unable,
    forbidden: await deniedMachines(denied, asker),
    halted,
    overLimit: [...overBudget, ...overLimit],
    quarantined: await sentences,
    silenced: await silenced,
    unsigned: await unsigned,
  };
  return { accepted, notice: leftOutView(task, machines, leftOut) };
}

/** Without a seal it can lead to no change. */
function sealed(request: Request, { seals }: Services): Request {
  return seals === undefined ? request : { ...request, seal: seals.request(request) };
}

/**
 * An action with every parameter's value, so that what is stored is what people are asked.
 * @throws InputError where it cannot be asked for
 */
function withDefaults(task: Task, machines: readonly Machine[], submission: Submission): Task {
  if (task.kind !== 'act') return task;
  const { asker, fleet, origin, services } = submission;
  const [machine, ...others] = machines;
  if (machine === undefined || others.length > 0)
    throw new InputError('An action is for one machine at a time.');
  requireSeals(services);
  const now = services.clock();
  const { subject } = planAction(task, machine, { fleet, requester: asker.requester, origin, now });
  return { ...task, params: subject.params };
}

function allHaltedView(halted: ReadonlyMap<Halt, readonly Machine[]>): View {
  const lines = [...halted].map(([halt, machines]) => haltedLine(halt, machines));
  return noticeView({ text: 'Nothing was started:', lines, kind: 'warning' });
}

/** A machine that has meanwhile left the fleet file keeps no limit: its run says that it is not known. */
function limitsOf({ machines, perPerson }: Fleet): RequestLimits {
  return { perPerson, perMachine: (name) => machines.get(name)?.limits };
}

/**
 * A mark in the place of a secret may be longer than the secret; the question stays one that can be stored. Of an
 * action nothing can be left out.
 */
export function withoutSecrets(task: Task, redact: Redact): Task {
  if (task.kind === 'act' && paramWords(task.params).some((word) => redact(word) !== word)) {
    throw new InputError(
      'One of the values looks like a secret. Everybody could read it on the card, so it is not taken.',
    );
  }
  if (task.kind !== 'ask') return task;
  return { ...task, question: redact(task.question).slice(0, questionMaxCharacters) };
}

/** The machines that the selector matches. Suggests only names of machines that the person may touch. */
export async function selectFor(
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

export function withCheck(name: string, machines: readonly Machine[]): readonly Machine[] {
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
