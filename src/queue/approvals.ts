import type { Run } from '../fleet/run.ts';
import type { Settled } from '../fleet/settle.ts';
import { ask } from './connect.ts';
import { approvalOf } from './move-entries.ts';
import { readStoredRun, runFields, type StoredRun } from './records.ts';
import { saveSettled } from './save-settled.ts';
import type { StoreOptions } from './store-options.ts';

/** How many runs are read with one round trip. */
const readAtOnce = 50;

/** The bot's Approvals in Redis, and what is due of them. Rejects with StoreUnavailableError like requests do. */
export class RedisApprovals {
  readonly #options: StoreOptions;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /**
   * Changes a run that is in `awaiting`, again and again until nobody was faster. Returns the run as it is stored at
   * the end: the very object that `change` returned, where that is what was stored.
   */
  async change(runId: string, change: (run: Run) => Settled | undefined): Promise<Run | undefined> {
    const { redis, disk, wake } = this.#options;
    for (;;) {
      const [before] = await this.#read([runId]);
      const settled = before?.run.state === 'awaiting' ? change(before.run) : undefined;
      if (before === undefined || settled === undefined) return before?.run;
      if (!(await ask('store the decision', saveSettled(redis, before, settled, this.#options)))) continue;
      await ask('put the decision on disk', disk.confirm());
      if (settled.run.state === 'approved') await wake([settled.run.request.machine]);
      return settled.run;
    }
  }

  /** The runs in `awaiting`, the one whose round ends first first. */
  async waiting(limit: number): Promise<readonly Run[]> {
    const { redis, keys } = this.#options;
    const ids = await ask('list what waits for people', redis.zrange(keys.approvalsWaiting(), 0, '-1'));
    const runs: Run[] = [];
    for (let at = 0; at < ids.length; at += readAtOnce) {
      const some = await this.#read(ids.slice(at, at + readAtOnce));
      // Some may have been decided since they were listed.
      runs.push(...some.flatMap(({ run }) => (run.state === 'awaiting' ? run : [])));
    }
    const endOf = (run: Run): number => {
      const { question, round } = approvalOf(run);
      return question.rounds[round]?.endsAt ?? 0;
    };
    return runs.toSorted((a, b) => endOf(a) - endOf(b)).slice(0, limit);
  }

  /** The ids of the runs whose time has come: to remind people, to ask others, or to give up. */
  async due(now: number): Promise<readonly string[]> {
    const { redis, keys } = this.#options;
    return ask(
      'look for questions whose time has come',
      redis.zrangebyscore(keys.approvalsWaiting(), 0, now),
    );
  }

  async #read(ids: readonly string[]): Promise<readonly StoredRun[]> {
    const { redis, keys } = this.#options;
    const fields = ids.map((id) => redis.hmget(keys.run(id), ...runFields));
    const read = await ask('read what waits for people', Promise.all(fields));
    return read.flatMap((each) => readStoredRun(each) ?? []);
  }
}
