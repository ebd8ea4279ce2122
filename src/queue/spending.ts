import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { Run } from '../fleet/run.ts';
import {
  accountOf,
  type SpendingRow,
  spentBy,
  spentFields,
  spentSchema,
  timesOf,
} from '../fleet/spending.ts';
import { ask } from './connect.ts';
import type { StoreOptions } from './store-options.ts';

const accountSchema = z.tuple([z.string(), z.string(), z.string().nullable()]);

/** How many rows are made before others are served: some milliseconds of work. */
const rowsPerTurn = 500;

/** What `spend.lua` adds: what the agent of a run used in an activation that ended now. */
export function spentText(
  { request }: Run,
  diagnosis: Pick<NonNullable<Run['diagnosis']>, 'usage' | 'costUsd' | 'model'>,
  at: number,
  keptMs: number,
): string {
  const { machine, spender, model = null } = accountOf(request, diagnosis.model);
  const { day, month } = timesOf(at);
  const spent = spentBy(diagnosis);
  return JSON.stringify({
    times: [day, month],
    account: JSON.stringify([machine, spender, model]),
    used: spentFields.map((field) => spent[field]),
    keptMs,
  });
}

/**
 * What agents used, summed up by day and by month, machine, person and model. Sums grow in the very step that stores
 * the end of an activation. Rejects like requests do, or waits for Redis, as its connection does.
 */
export class RedisSpending {
  readonly #options: Pick<StoreOptions, 'redis' | 'keys'>;

  constructor(options: Pick<StoreOptions, 'redis' | 'keys'>) {
    this.#options = options;
  }

  /**
   * What was used in these times, such as `2026-11-23` or `2026-11`. A month and its days must not be added up. There are
   * many rows where a fleet is large: others are served meanwhile.
   * @param machine only what was used there
   */
  async rows(times: readonly string[], machine?: string): Promise<readonly SpendingRow[]> {
    const { redis, keys } = this.#options;
    const beginning = machine === undefined ? '' : `[${JSON.stringify(machine)},`;
    const rows: SpendingRow[] = [];
    for (const time of times) {
      const stored = await ask('read what was spent', redis.hgetall(keys.spending(time)));
      for (const [index, [account, sums]] of Object.entries(stored).entries()) {
        if (account.startsWith(beginning)) rows.push(readRow(time, account, sums));
        if (index % rowsPerTurn === rowsPerTurn - 1) await nextTurn();
      }
    }
    return rows;
  }
}

function readRow(time: string, account: string, sums: string): SpendingRow {
  const [machine, spender, model] = accountSchema.parse(JSON.parse(account));
  const numbers = sums.split(' ').map(Number);
  const spent = Object.fromEntries(spentFields.map((field, index) => [field, numbers[index]]));
  return { time, machine, spender, model: model ?? undefined, ...spentSchema.parse(spent) };
}
