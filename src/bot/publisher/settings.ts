import { slackCallTimeoutMs } from './create-publisher-client.ts';

/** How the publisher works; every number can be set by whoever creates it. */
export interface PublisherSettings {
  /** Records brought up to date at the same time by this process. */
  readonly parallelism: number;
  /** Pause between two looks at the list of dirty views while it is empty. */
  readonly pollIntervalMs: number;
  /** Pause after the list could not be read. */
  readonly storeRetryMs: number;
  /** Least time between two edits of one message that show progress only. */
  readonly progressIntervalMs: number;
  /** The same for the message of an incident, and of a storm of alerts, which change with every alert. */
  readonly incidentIntervalMs: number;
  readonly stormIntervalMs: number;
  /**
   * No call to Slack begins later than this after a view was leased. `longestRefreshMs`, which follows from
   * it, must be shorter than the lease, so that no two processes post the same thing.
   */
  readonly refreshLimitMs: number;
  /**
   * Longest pause of a view that waits for the budget. It looks again without calling Slack, because
   * something that matters more may have come up meanwhile.
   */
  readonly recheckMs: number;
  /** How long Slack may take to show, in a search, a message whose answer we did not get. */
  readonly settleMs: number;
  /** First and longest pause after Slack could not be reached; doubled in between. */
  readonly unreachableMs: readonly [first: number, longest: number];
  /** First and longest pause after Slack refused: people have to change something first. */
  readonly refusedMs: readonly [first: number, longest: number];
}

export const publisherDefaults: PublisherSettings = {
  parallelism: 8,
  pollIntervalMs: 200,
  storeRetryMs: 1_000,
  progressIntervalMs: 1_000,
  incidentIntervalMs: 3_000,
  stormIntervalMs: 15_000,
  refreshLimitMs: 5_000,
  recheckMs: 2_000,
  settleMs: 3_000,
  unreachableMs: [1_000, 10_000],
  refusedMs: [5_000, 120_000],
};

/** An upload, the longest of what we ask of Slack: get an address, send the file, share it. */
const callsOfUpload = 3;

/** How long after a view was leased its last call to Slack may still be under way. */
export function longestRefreshMs({ refreshLimitMs }: PublisherSettings): number {
  return refreshLimitMs + callsOfUpload * slackCallTimeoutMs;
}
