import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Approvals } from '../../src/bot/ports.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { Settled } from '../../src/fleet/settle.ts';

/** The `Approvals` port in memory, over the runs of a `FakeRequests`: what others did in between is noticed. */
export class FakeApprovals implements Approvals {
  /** Changed in place. */
  runs: Run[];
  /** Makes every call fail as when Redis is away. */
  away = false;
  /** Makes every change wait for it first. */
  gate: Promise<void> = Promise.resolve();

  constructor(runs: Run[] = []) {
    this.runs = runs;
  }

  async change(runId: string, change: (run: Run) => Settled | undefined): Promise<Run | undefined> {
    this.#reach();
    await this.gate;
    for (;;) {
      const before = this.runs.find((run) => run.id === runId);
      const settled = before?.state === 'awaiting' ? change(structuredClone(before)) : undefined;
      if (before === undefined || settled === undefined) return structuredClone(before);
      await nextTurn();
      const at = this.runs.indexOf(before);
      if (at < 0) continue;
      this.runs[at] = settled.run;
      return settled.run;
    }
  }

  async waiting(limit: number): Promise<readonly Run[]> {
    this.#reach();
    const endOf = ({ approval }: Run) => approval?.question.rounds[approval.round]?.endsAt ?? 0;
    return this.runs
      .filter((run) => run.state === 'awaiting')
      .toSorted((a, b) => endOf(a) - endOf(b))
      .slice(0, limit);
  }

  #reach(): void {
    if (this.away) throw new StoreUnavailableError('Redis did not answer. Look at the Redis server.');
  }
}
