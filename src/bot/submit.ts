import type { Campaign } from '../fleet/campaign.ts';
import { checkOf } from '../fleet/checks/index.ts';
import { InputError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { type Halt, holder } from '../fleet/halt.ts';
import type { Machine } from '../fleet/machine.ts';
import { type Origin, paramWords, questionMaxCharacters, type Request, type Task } from '../fleet/request.ts';
import { selectMachines, unmatchedAlternatives } from '../fleet/selector.ts';
import { suggest } from '../fleet/suggest.ts';
import { acceptWithinLimits } from './accept-within-limits.ts';
import { deniedAll, deniedMachines } from './denied.ts';
import { leftOutView } from './left-out.ts';
import { machineHint } from './machine-hint.ts';
import { checkNamesOf, listed, namesOf } from './names-of.ts';
import { requireSeals } from './no-decision-key.ts';
import { noSignerSentences } from './no-signer.ts';
import type { Asker } from './people.ts';
import { planAction, riskOf } from './plan-action.ts';
import type { Accepted, Redact, RequestLimits } from './ports.ts';
import { quarantineSentences } from './quarantines.ts';
import type { Services } from './services.ts';
import { haltedLine } from './views/halted-line.ts';
import { noticeView } from './views/notice.ts';
import type { View } from './views/view.ts';

/** Who asks, where the answer goes, and the event that this is. */
export interface Submission {
  readonly fleet: Fleet;
  readonly asker: Asker;
  readonly origin: Origin;
  /** The same for every delivery of the same event. */
  readonly eventId: string;
  readonly services: Services;
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
export async function submit(
  { selector, task: asked }: { readonly selector: string; readonly task: Task },
  submission: Submission,
): Promise<Submitted> {
  const { fleet, asker, origin, services } = submission;
  const clean = withoutSecrets(asked, services.redact);
  const obstacle = services.membership.obstacle(origin.channel);
  const selected = await selectFor(selector, fleet, asker, clean);
  const { allowed, denied } = await asker.permission(clean.kind, selected, riskOf(clean, fleet));
  if (allowed.length === 0) throw await deniedAll({ verb: clean.kind, selector, denied }, fleet, asker);

  const task = withDefaults(clean, allowed, submission);
  const able = task.kind === 'check' ? withCheck(task.check, allowed) : allowed;
  const hindered = await obstacle;
  if (hindered !== undefined) throw new InputError(hindered);

  const halted = haltedAmong(able, await services.halts.active());
  const atHalt = new Set([...halted.values()].flat());
  const free = able.filter((machine) => !atHalt.has(machine));
  if (free.length === 0) return { accepted: undefined, notice: allHaltedView(halted) };

  const sentences = quarantineSentences(free, services);
  const unsigned = task.kind === 'act' ? noSignerSentences(services) : [];
  const attempt = { by: asker.requester, what: task.kind, target: selector };
  const { accepted, machines, overLimit } = await acceptWithinLimits(
    free,
    (some) => accept(task, selector, some, submission),
    (error) => services.refusals.note(error, attempt),
  );
  if (!accepted.duplicate) services.meter.accepted(task.kind, accepted.runIds.length);
  const ables = new Set(able);
  const leftOut = {
    unmatched: unmatchedAlternatives(fleet, selector),
    unable: allowed.filter((machine) => !ables.has(machine)),
    forbidden: await deniedMachines(denied, asker),
    halted,
    overLimit,
    quarantined: await sentences,
    unsigned: await unsigned,
  };
  return { accepted, notice: leftOutView(task, machines, leftOut) };
}

/** Stores the task for these machines, all of them or none. */
function accept(
  task: Task,
  selector: string,
  machines: readonly Machine[],
  { fleet, asker, origin, eventId, services }: Submission,
): Promise<Accepted> {
  const { requester } = asker;
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
  return services.requests.accept(
    requests.map((request) => sealed(request, services)),
    limitsOf(fleet),
    campaign,
  );
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

/** By the oldest halt that holds for them. */
function haltedAmong(
  machines: readonly Machine[],
  halts: readonly Halt[],
): ReadonlyMap<Halt, readonly Machine[]> {
  const holders = halts.map((halt) => ({ halt, holds: holder(halt) }));
  const halted = new Map<Halt, Machine[]>();
  for (const machine of machines) {
    const halt = holders.find(({ holds }) => holds(machine))?.halt;
    if (halt === undefined) continue;
    const those = halted.get(halt) ?? [];
    those.push(machine);
    halted.set(halt, those);
  }
  return halted;
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
function withoutSecrets(task: Task, redact: Redact): Task {
  if (task.kind === 'act' && paramWords(task.params).some((word) => redact(word) !== word)) {
    throw new InputError(
      'One of the values looks like a secret. Everybody could read it on the card, so it is not taken.',
    );
  }
  if (task.kind !== 'ask') return task;
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
