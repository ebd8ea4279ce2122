import type { refusalCodes } from '../../../src/edge-client/gate-protocol.ts';
import type { Verb } from '../../../src/sandbox/machine/parse-verb.ts';

type VerbName = Verb['verb'];
type RefusalCode = (typeof refusalCodes)[number];

/** Why an agent's life ended. */
export type End = 'stopped' | 'locked' | 'crashed' | 'expired';

/** One line of a machine's books; `at` is this computer's time in ms, whatever the machine's clock says. */
export type BookEntry = { readonly at: number } & (
  | {
      readonly kind: 'verb';
      readonly verb: VerbName;
      readonly fence?: number;
      readonly run?: string;
      readonly outcome: 'accepted' | RefusalCode;
    }
  | { readonly kind: 'alive'; readonly fence: number; readonly run: string }
  | { readonly kind: 'gone'; readonly run: string; readonly why: End }
  | { readonly kind: 'task'; readonly run: string }
  | { readonly kind: 'fault'; readonly fault: string }
);

type Unstamped<Entry> = Entry extends unknown ? Omit<Entry, 'at'> : never;

/**
 * What happened on one machine, in order, kept where nobody is killed. The audits read nothing but the entries:
 * they do not believe the gate that wrote them.
 */
export class Books {
  readonly entries: BookEntry[] = [];

  add(entry: Unstamped<BookEntry>): void {
    this.entries.push({ ...entry, at: Date.now() });
  }

  count(matches: (entry: BookEntry) => boolean): number {
    return this.entries.filter(matches).length;
  }

  /** The run whose agent is alive, if any, and since when. */
  get alive(): { readonly run: string; readonly since: number } | undefined {
    const last = this.entries.findLast(({ kind }) => kind === 'alive' || kind === 'gone');
    return last?.kind === 'alive' ? { run: last.run, since: last.at } : undefined;
  }

  /** Everything that the promises forbid, as sentences: old fences let in, agents beside one another. */
  violations(): readonly string[] {
    const found: string[] = [];
    let highest = 0;
    let retired = 0;
    let alive: string | undefined;
    for (const entry of this.entries) {
      if (entry.kind === 'verb' && entry.outcome === 'accepted' && entry.fence !== undefined) {
        if (entry.fence < highest)
          found.push(`${entry.verb} was let in with fence ${entry.fence} after ${highest}`);
        if (entry.verb === 'start' && entry.fence <= retired) {
          found.push(`start was let in with fence ${entry.fence}, which was stopped (${retired})`);
        }
        highest = Math.max(highest, entry.fence);
        if (entry.verb === 'stop') retired = Math.max(retired, entry.fence);
      } else if (entry.kind === 'alive') {
        if (alive !== undefined) found.push(`the agent of ${entry.run} began beside the one of ${alive}`);
        alive = entry.run;
      } else if (entry.kind === 'gone') alive = undefined;
    }
    return found;
  }
}
