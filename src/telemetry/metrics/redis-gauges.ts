import type { Logger } from 'pino';
import { Gauge, Registry } from 'prom-client';
import { toSeconds } from './buckets.ts';
import type { QueueGauges } from './queue-gauges.ts';

/** How long Redis may take at a scrape. Far below Prometheus' own limit, whose default is 10 s. */
export const defaultRedisTimeoutMs = 2_000;

/** How many quarantined machines are named. The number of all of them is a gauge of its own. */
export const namedMachinesMax = 50;

const plain: readonly [name: string, help: string, value: (gauges: QueueGauges) => number][] = [
  ['fleetbot_inbox_requests', 'Requests that wait, over all machines.', (g) => g.inboxDepth],
  [
    'fleetbot_deepest_inbox_requests',
    'Requests that wait for the machine for which most do.',
    (g) => g.deepestInbox,
  ],
  [
    'fleetbot_oldest_request_age_seconds',
    'Age of the request that waits longest.',
    (g) => toSeconds(g.oldestRequestAgeMs),
  ],
  ['fleetbot_runs_in_progress', 'Runs that workers drive.', (g) => g.runsInProgress],
  ['fleetbot_machines_busy', 'Machines with a run in progress or requests that wait.', (g) => g.machinesBusy],
  [
    'fleetbot_quarantined_machines',
    'Machines whose agent could not be measured inactive.',
    (g) => g.quarantinedMachines.length,
  ],
  ['fleetbot_halted_machines', 'Machines for which a halt holds.', (g) => g.haltedMachines],
  ['fleetbot_silences_open', 'Silences and maintenance windows that hold.', (g) => g.silencesOpen],
  ['fleetbot_incidents_open', 'Incidents whose alerts are not all resolved.', (g) => g.incidentsOpen],
  ['fleetbot_approvals_waiting', 'Questions that wait for people to decide them.', (g) => g.approvalsWaiting],
  [
    'fleetbot_oldest_approval_age_seconds',
    'How long the oldest of them has waited.',
    (g) => toSeconds(g.oldestApprovalAgeMs),
  ],
  ['fleetbot_dirty_views', 'Records that Slack does not show as they are yet.', (g) => g.dirtyViews],
  [
    'fleetbot_oldest_dirty_view_age_seconds',
    'How long the oldest of them has waited.',
    (g) => toSeconds(g.oldestDirtyViewAgeMs),
  ],
  ['fleetbot_ledger_entries', 'Entries of the ledger in Redis.', (g) => g.ledgerEntries],
  ['fleetbot_ledger_unexported_entries', 'Entries that are not exported yet.', (g) => g.ledgerUnexported],
  [
    'fleetbot_assessments_waiting',
    'What people said of traces that MLflow does not know yet.',
    (g) => g.assessmentsWaiting,
  ],
  ['fleetbot_redis_used_memory_bytes', 'Memory that Redis uses.', (g) => g.redisUsedMemoryBytes],
  [
    'fleetbot_redis_memory_limit_bytes',
    'Memory that Redis may use; 0 where that is not known.',
    (g) => g.redisMemoryLimitBytes,
  ],
];

export interface RedisGaugesOptions {
  readonly read: () => Promise<QueueGauges>;
  readonly log: Logger;
  readonly timeoutMs?: number;
}

/**
 * What Redis holds. Every process tells the same numbers, so they are read with `max`, never with `sum`. While
 * Redis does not answer in time they are left out, because old numbers would look like good ones.
 */
export class RedisGauges {
  readonly #options: RedisGaugesOptions;
  readonly #registry = new Registry();
  readonly #quarantined: Gauge<'machine'>;
  readonly #budgets: Gauge<'budget'>;
  readonly #set: readonly ((gauges: QueueGauges) => void)[];
  #reading: Promise<QueueGauges> | undefined;
  #away = false;

  constructor(options: RedisGaugesOptions) {
    this.#options = options;
    const registers = [this.#registry];
    this.#set = plain.map(([name, help, value]) => {
      const gauge = new Gauge({ name, help, registers });
      return (gauges) => gauge.set(value(gauges));
    });
    this.#quarantined = new Gauge({
      name: 'fleetbot_machine_quarantined',
      help: `1 for every quarantined machine, for the first ${namedMachinesMax} of them by name.`,
      labelNames: ['machine'],
      registers,
    });
    this.#budgets = new Gauge({
      name: 'fleetbot_budget_spent_ratio',
      help: 'How much of each budget of the fleet file is spent in its period; 1 is all of it.',
      labelNames: ['budget'],
      registers,
    });
  }

  /** The gauges as text; undefined when Redis does not answer in time. Never rejects. */
  async text(): Promise<string | undefined> {
    const gauges = await this.#inTime();
    if (gauges === undefined) return undefined;
    for (const set of this.#set) set(gauges);
    this.#quarantined.reset();
    for (const machine of gauges.quarantinedMachines.toSorted().slice(0, namedMachinesMax)) {
      this.#quarantined.set({ machine }, 1);
    }
    this.#budgets.reset();
    for (const [budget, spent] of gauges.budgetsSpent) this.#budgets.set({ budget }, spent);
    return this.#registry.metrics();
  }

  async #inTime(): Promise<QueueGauges | undefined> {
    const { log, timeoutMs = defaultRedisTimeoutMs } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`Redis did not answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      const gauges = await Promise.race([this.#readOnce(), late.promise]);
      if (this.#away) log.info('Redis answers again: its metrics are back');
      this.#away = false;
      return gauges;
    } catch (error) {
      if (!this.#away)
        log.warn({ err: error }, 'the metrics of what is in Redis are left out: it did not tell them');
      this.#away = true;
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Scrapes that come while Redis is slow wait for the same answer: they never pile up on it. */
  #readOnce(): Promise<QueueGauges> {
    this.#reading ??= this.#options.read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }
}
