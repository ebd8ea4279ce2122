import { spendingDaysKept } from '../fleet/spending.ts';

/** Everything about the queue that can be set, with its unit. */
export interface QueueSettings {
  /** Before every key. The braces make one Redis Cluster slot of all of them. */
  readonly prefix: string;
  /** How long a bot's request to Redis may take before the person is told that it is not confirmed. */
  readonly requestTimeoutMs: number;
  /** How long Redis may take to put a confirmed write on disk. */
  readonly fsyncTimeoutMs: number;
  /** How long the first connection may take. */
  readonly connectTimeoutMs: number;
  /** Run against a Redis that may lose or evict records. */
  readonly allowUnsafe: boolean;

  /** A wake whose worker does not renew its lock for this long is given to another worker. */
  readonly lockDurationMs: number;
  /** How often workers look for such wakes. */
  readonly stalledIntervalMs: number;
  /** How often one wake may stall. High: a wake that fails for good would strand its machine until the sweep. */
  readonly maxStalledCount: number;
  /** Runs driven for one machine before the others get their turn. */
  readonly itemsPerWake: number;
  /** How often every machine that has work is woken, whatever happened to its wake. */
  readonly sweepIntervalMs: number;
  /**
   * How long `close` waits for the runs in progress to let go: they stop their agents first, which may take a
   * machine's `stopTimeoutMs` (30 s). With the rest, shorter than a process's shutdown may take.
   */
  readonly closeTimeoutMs: number;
  /** How long `close` waits for each connection to end in order; where Redis is away, that takes for ever. */
  readonly disconnectTimeoutMs: number;

  /** How many event ids are remembered, so that each is accepted once: the newest. */
  readonly seenEventsKept: number;
  /** How long a record is kept after its end (a campaign: after its last change). */
  readonly recordsKeptMs: number;
  /** How many finished runs are kept of one machine. */
  readonly finishedRunsPerMachine: number;
  /** How many runs the list over all machines goes back. */
  readonly recentRunsKept: number;

  /** How long a run may be done before another process ends its trace: far longer than whoever ended it takes. */
  readonly traceGraceMs: number;
  /** How long after its end a trace counts as ended: by then its spans are on their way, or on disk. */
  readonly tracedDelayMs: number;
  /** How many traces one sweep ends at most. */
  readonly tracesAtOnce: number;

  /** How many entries of the ledger are kept for readers; more while an exporter lacks them. */
  readonly ledgerEntriesKept: number;
  /** How many are kept at most, whoever lacks them: the bound of Redis' memory. */
  readonly ledgerEntriesMax: number;
  /** An exporter that has told nothing for so long no longer keeps entries from being trimmed. */
  readonly exporterForgottenMs: number;

  /** How long the sums of a day or a month are kept after the last activation that counts for them. */
  readonly spendingKeptMs: number;
  /** How old sums may be when they are held against budgets: requests that come closer together read them once. */
  readonly spendingStaleMs: number;

  /** A leader that does not renew its lease for this long is replaced. */
  readonly leaseMs: number;
  /** How often a lease is renewed, or tried for. */
  readonly leaseRenewalMs: number;
  /** How often a process looks whether halts changed, in case the news of it was lost. */
  readonly haltsPollIntervalMs: number;

  /** How often workers look for questions whose time has come. */
  readonly approvalsPollIntervalMs: number;
  /** How long a worker waits for a signer. */
  readonly signTimeoutMs: number;
  /** How often it asks again: the signer that took its wish may be gone. */
  readonly signResendMs: number;
  /** How often it looks for the answer. */
  readonly signPollIntervalMs: number;
  /** How long an answer is kept for it. */
  readonly signReplyKeptMs: number;

  /** How long a bot process may take to bring a view up to date before another one may. */
  readonly viewLeaseMs: number;
}

export const queueDefaults: QueueSettings = {
  prefix: '{fleetbot}',
  requestTimeoutMs: 2_000,
  fsyncTimeoutMs: 1_000,
  connectTimeoutMs: 10_000,
  allowUnsafe: false,

  lockDurationMs: 8_000,
  stalledIntervalMs: 2_000,
  maxStalledCount: 1_000,
  itemsPerWake: 10,
  sweepIntervalMs: 15_000,
  closeTimeoutMs: 34_000,
  disconnectTimeoutMs: 1_000,

  seenEventsKept: 50_000,
  recordsKeptMs: 30 * 24 * 3_600_000,
  finishedRunsPerMachine: 50,
  recentRunsKept: 500,

  traceGraceMs: 10_000,
  tracedDelayMs: 2_000,
  tracesAtOnce: 500,

  // About 55 MB: some weeks of a thousand machines that are checked once a day.
  ledgerEntriesKept: 200_000,
  ledgerEntriesMax: 1_000_000,
  exporterForgottenMs: 7 * 24 * 3_600_000,

  spendingKeptMs: spendingDaysKept * 24 * 3_600_000,
  spendingStaleMs: 5_000,

  leaseMs: 6_000,
  leaseRenewalMs: 2_000,
  haltsPollIntervalMs: 5_000,

  approvalsPollIntervalMs: 1_000,
  signTimeoutMs: 60_000,
  signResendMs: 5_000,
  signPollIntervalMs: 100,
  signReplyKeptMs: 60_000,

  viewLeaseMs: 30_000,
};
