import { InputError } from '../../fleet/errors.ts';
import type { Incident, Investigation, Target } from '../../fleet/incident.ts';
import { targetsOf } from '../../fleet/incident-targets.ts';
import type { Origin } from '../../fleet/request.ts';
import { typedMaxCharacters } from '../../fleet/selector.ts';
import type { Services } from '../services.ts';
import { submit } from '../submit.ts';
import { noticeView } from '../views/notice.ts';
import type { View } from '../views/view.ts';
import { type Click, onButton } from './on-button.ts';
import { eventIdOfClick } from './same-click.ts';

/**
 * The button Investigate again: the checks of an incident once more, in the name of who clicked and in its thread.
 * What keeps alerts from being looked into, such as a cool-down, does not keep a person from it.
 */
export function investigateAgainButton(services: Services) {
  return onButton(services, 'investigate-again', investigateAgain);
}

/** One check on machines, as many as a selector can name. */
interface Wish {
  readonly check: string;
  readonly selector: string;
  /** The first of them: it tells the wishes of one check apart, and its runs a second click from a new one. */
  readonly machine: string;
}

async function investigateAgain({ id, ...click }: Click): Promise<View | undefined> {
  const { asker, services } = click;
  const incident = await services.incidents.incident(id);
  if (incident === undefined) {
    throw new InputError('This incident is no longer known. Type `/fleet check` with the machine instead.');
  }
  const notices: View[] = [];
  const failures: unknown[] = [];
  const began: Investigation[] = [];
  for (const { check, selector, machine } of wishesOf(targetsOf(incident))) {
    try {
      const eventId = await eventIdOfClick(`again-${machine}-${check}`, { id, machine }, services);
      const { accepted, notice } = await submit(
        { selector, task: { kind: 'check', check } },
        { ...click, origin: originOf(incident), eventId },
      );
      if (accepted?.duplicate === true) notices.push(alreadyView(accepted.runIds));
      else
        began.push(
          ...(await investigationsOf(accepted?.runIds ?? [], check, asker.requester.userId, services)),
        );
      if (notice !== undefined) notices.push(notice);
    } catch (error) {
      failures.push(error);
    }
  }
  if (began.length > 0) await services.incidents.noteRuns(id, began);
  // What did begin shows in the thread.
  if (failures.length > 0) throw failures[0];
  return notices[0];
}

function originOf({ id, channel, threadTs }: Incident): Origin {
  return threadTs === undefined ? { channel, under: id } : { channel, threadTs };
}

function wishesOf(targets: readonly Target[]): readonly Wish[] {
  const wishes: Wish[] = [];
  for (const { machine, check } of targets) {
    const at = wishes.findLastIndex((wish) => wish.check === check);
    const last = wishes[at];
    const selector = `${last?.selector},${machine}`;
    if (last === undefined || selector.length > typedMaxCharacters) {
      wishes.push({ check, selector: machine, machine });
    } else wishes[at] = { ...last, selector };
  }
  return wishes;
}

async function investigationsOf(
  runIds: readonly string[],
  check: string,
  by: string,
  { requests }: Services,
): Promise<readonly Investigation[]> {
  const runs = await Promise.all(runIds.map((id) => requests.run(id)));
  return runs.flatMap((run) =>
    run === undefined
      ? []
      : [{ machine: run.request.machine, check, at: run.request.acceptedAt, run: run.id, by }],
  );
}

const alreadyView = ([first = '']: readonly string[]): View =>
  noticeView({ text: `Already looked at again: \`${first}\` began a moment ago.`, kind: 'info' });
