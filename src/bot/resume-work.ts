import { InputError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { formatMoment } from '../fleet/format.ts';
import { type Halt, holder } from '../fleet/halt.ts';
import type { Machine } from '../fleet/machine.ts';
import { parseSelector, selectAll, selectMachines } from '../fleet/selector.ts';
import { deniedAll, deniedMachines } from './denied.ts';
import { machineHint } from './machine-hint.ts';
import { listed, namesOf } from './names-of.ts';
import { Asker } from './people.ts';
import { resumeWishValidity, standingWish } from './resume-wish.ts';
import type { Services } from './services.ts';
import { haltButtonsBlockId } from './views/halt-buttons.ts';
import { noticeView } from './views/notice.ts';
import { releaseLines } from './views/release-lines.ts';
import type { View } from './views/view.ts';

const haltIdPattern = /^h-[0-9a-z]{12}$/;

/** Who wants to resume, and the event that this is. */
export interface Resuming {
  readonly fleet: Fleet;
  readonly asker: Asker;
  readonly eventId: string;
  readonly services: Services;
}

/** A halt, and the machines that it holds for and that are asked about. */
interface Concerned {
  readonly halt: Halt;
  readonly machines: readonly Machine[];
}

/**
 * Lifts halts from what a selector matches, or all of one halt, as far as the person may. Where the access table
 * wants two people, the first one's wish is kept until another one wants the same.
 *
 * @param target a selector, or the id of a halt
 * @throws InputError, NotAllowedError, StoreUnavailableError with sentences for the person
 */
export async function resumeWork(target: string, resuming: Resuming): Promise<View> {
  const { services, fleet, asker } = resuming;
  const id = target.toLowerCase();
  if (haltIdPattern.test(id)) {
    const halt = await knownHalt(id, services);
    const all = [...fleet.machines.values()];
    return (await resume([halt], selectAll, all, resuming)) ?? liftedView(halt);
  }
  const machines = selectMachines(fleet, target);
  if (machines.length === 0) {
    throw new InputError(
      `No machine matches \`${target}\`.${await machineHint(target, 'resume', fleet, asker)}`,
    );
  }
  const resumed = await resume(await services.halts.active(), target, machines, resuming);
  if (resumed !== undefined) return resumed;
  const what = target === selectAll ? 'Nothing' : `Nothing that \`${target}\` matches`;
  return noticeView({ text: `${what} is halted.`, kind: 'info' });
}

/**
 * Carries out what another person wanted to resume.
 *
 * @param shownIn the `block_id` under which the wish was shown: people agree to what they saw
 * @throws as `resumeWork`
 */
export async function agreeToResume(haltId: string, shownIn: string, resuming: Resuming): Promise<View> {
  const { services, fleet } = resuming;
  const halt = await knownHalt(haltId, services);
  const wish = standingWish(halt, services.clock());
  if (wish === undefined || shownIn !== haltButtonsBlockId(halt.id, wish)) {
    throw new InputError(
      `What you agreed to no longer stands: it was carried out or replaced, or is older than ${resumeWishValidity}. Nothing was done. Read the message as it is now: its button is for what is asked for now.`,
    );
  }
  const machines = [...fleet.machines.values()].filter(parseSelector(wish.selector));
  return (await resume([halt], wish.selector, machines, resuming, 'agreeing')) ?? liftedView(halt);
}

async function knownHalt(id: string, { halts }: Services): Promise<Halt> {
  const found = await halts.halt(id);
  if (found === undefined) {
    throw new InputError(`There is no halt \`${id}\`. \`/fleet list\` shows which machines are halted.`);
  }
  return found.halt;
}

/** @returns undefined where no halt holds for any of the machines */
async function resume(
  halts: readonly Halt[],
  selector: string,
  machines: readonly Machine[],
  resuming: Resuming,
  agreeing?: 'agreeing',
): Promise<View | undefined> {
  const { asker, fleet } = resuming;
  const { allowed, denied } = await asker.permission('resume', machines);
  const may = new Set(allowed);
  if (may.size === 0) throw await deniedAll({ verb: 'resume', selector, denied }, fleet, asker);

  const concerned = halts
    .map((halt): Concerned => ({ halt, machines: machines.filter(holder(halt)) }))
    .filter((each) => each.machines.length > 0);
  const held = new Set(concerned.flatMap((each) => each.machines));
  if (held.size === 0) return undefined;
  const staying = denied.filter(({ machine }) => held.has(machine));
  if (staying.length === held.size) {
    throw await deniedAll({ verb: 'resume', selector, denied: staying }, fleet, asker);
  }

  const sentences: string[] = [];
  for (const { halt, machines: all } of concerned) {
    const mine = all.filter((machine) => may.has(machine));
    if (mine.length === 0) continue;
    const lifts = mine.length === all.length ? selector : namesOf(mine).join(',');
    sentences.push(await resumeOne({ halt, machines: mine }, lifts, resuming, agreeing));
  }
  const forbidden = await deniedMachines(staying, asker);
  if (forbidden !== undefined) {
    sentences.push(`These stay halted, because you may not resume them: ${forbidden}`);
  }
  return noticeView({ text: sentences.join('\n'), kind: 'info' });
}

/** Resumes machines of one halt, or notes the wish. @returns what became of it, for the person */
async function resumeOne(
  { halt, machines }: Concerned,
  selector: string,
  resuming: Resuming,
  agreeing: 'agreeing' | undefined,
): Promise<string> {
  const { asker, eventId, services } = resuming;
  const at = services.clock();
  const by = asker.requester;
  const wish = standingWish(halt, at);
  const same =
    wish !== undefined && (agreeing !== undefined || wish.selector === selector) ? wish : undefined;

  if (same !== undefined && same.by.userId !== asker.userId) {
    const first = new Asker(same.by.userId, same.by.teamId, resuming.fleet, services.directory);
    const { allowed: both } = await first.permission('resume', machines);
    if (both.length > 0) {
      const lifts = both.length === machines.length ? selector : namesOf(both).join(',');
      await services.halts.release(halt.id, { selector: lifts, by: same.by, agreedBy: by, at }, eventId);
      return `You agreed. ${resumed(halt, both)}`;
    }
  }
  if (!(await asker.needsSecondPerson('resume', machines))) {
    await services.halts.release(halt.id, { selector, by, at }, eventId);
    return resumed(halt, machines);
  }
  if (same?.by.userId === asker.userId) {
    return `You wanted to resume ${listed(machines)} of halt \`${halt.id}\` at ${formatMoment(same.at)} already. It must be another person who agrees, with the button in its message or with \`/fleet resume\`.`;
  }
  await services.halts.wish(halt.id, { selector, by, at });
  return `Not resumed yet: another person who may resume ${listed(machines)} must agree within ${resumeWishValidity}, with the button in the message of halt \`${halt.id}\`.`;
}

function resumed(halt: Halt, machines: readonly Machine[]): string {
  return `Resumed ${listed(machines)}. The message of halt \`${halt.id}\` tells when they are unlocked.`;
}

function liftedView(halt: Halt): View {
  const lifted = `Halt \`${halt.id}\` holds for no machine any more.`;
  const text =
    halt.releases.length > 0
      ? lifted
      : `${lifted} Nobody resumed it: its machines left the fleet file, or changed labels, and stay locked. Put them back as they were, or unlock them with \`fleetbot resume --direct --force\`.`;
  return noticeView({ text, lines: releaseLines(halt), kind: 'info' });
}
