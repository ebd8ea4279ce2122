import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { pagerOf } from '../fleet/hand-over.ts';
import { attempt } from './attempt.ts';
import { pagerDuty } from './pagerduty.ts';
import type { PagerEntry } from './pagers-file.ts';
import { type PagerSettings, pagerDefaults } from './settings.ts';
import { webhook } from './webhook.ts';
import type { Page, Wire } from './wire.ts';

export interface PagersOptions {
  readonly entries: ReadonlyMap<string, PagerEntry>;
  /** What differs from `pagerDefaults`. */
  readonly settings?: Partial<PagerSettings>;
  readonly log: Logger;
}

/** Calls whoever is not in Slack. */
export interface Pagers {
  /**
   * Tells a pager, again while it is in trouble, as far as the settings go. Under the hand-over's id, so that the pager
   * knows a page that it has already.
   * @returns undefined once it took the page; else why not, as a sentence
   * @throws whatever `signal` aborts with: nobody knows then whether it took it
   */
  call(name: string, page: Page, signal: AbortSignal): Promise<string | undefined>;
  /** The names of pagers among these targets that nothing is known of. */
  unknown(targets: readonly string[]): readonly string[];
}

/** The pagers of the settings. */
export function createPagers({ entries, settings: changes, log }: PagersOptions): Pagers {
  const settings = { ...pagerDefaults, ...changes };
  const wires = new Map<string, Wire>(
    [...entries].map(([name, entry]) => [
      name,
      entry.kind === 'pagerduty' ? pagerDuty(entry) : webhook(entry),
    ]),
  );

  return {
    async call(name, page, signal) {
      const wire = wires.get(name);
      if (wire === undefined) return `Pager ${name} is not among FLEETBOT_PAGERS: add it there.`;
      const { id, machine, run } = page.handOver;
      const about = { pager: name, handOver: id, machine, run };
      for (let tried = 1; ; tried += 1) {
        const outcome = await attempt(wire, page, settings, signal);
        if (outcome.kind === 'taken') {
          log.info(about, 'a pager took an escalation');
          return undefined;
        }
        log.warn({ ...about, tried, problem: outcome.problem }, 'a pager did not take an escalation');
        const told = `Pager ${name} ${outcome.problem}.`;
        if (outcome.kind === 'refused' || tried === settings.tries) return told;
        const { longestPauseMs, firstPauseMs } = settings;
        const pauseMs = outcome.afterMs ?? Math.min(longestPauseMs, firstPauseMs * 2 ** (tried - 1));
        if (pauseMs > longestPauseMs) return told;
        await sleep(pauseMs, undefined, { signal });
      }
    },
    unknown: (targets) =>
      targets.flatMap((target) => pagerOf(target) ?? []).filter((name) => !wires.has(name)),
  };
}
