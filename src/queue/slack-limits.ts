import type { ViewPriority } from './view-score.ts';

/** A token bucket: `burst` calls at once, `perMinute` on average. */
export interface Limit {
  readonly perMinute: number;
  readonly burst: number;
  /** Tokens that calls of a priority leave to higher ones. */
  readonly reserve: Readonly<Record<ViewPriority, number>>;
}

/** What Slack lets one app do in one workspace with a method. */
export interface MethodLimits {
  readonly workspace: Limit;
  /** Limited per channel too. */
  readonly channel?: Limit;
}

/** Tiers of methods are "N+ per minute" with tolerance for bursts; a fifth of a minute's calls is ours. */
function tier(perMinute: number): MethodLimits {
  const burst = Math.ceil(perMinute / 5);
  const reserve = { decision: 0, verdict: Math.ceil(burst / 10), progress: Math.ceil(burst / 3) };
  return { workspace: { perMinute, burst, reserve } };
}

/**
 * Slack's limits, from docs.slack.dev/apis/web-api/rate-limits and the methods' pages: tier 2 is 20+, tier 3
 * 50+, tier 4 100+ calls a minute; posting is 1 a second and channel with short bursts, and several hundred
 * a minute in a workspace.
 */
export const slackLimits: ReadonlyMap<string, MethodLimits> = new Map([
  [
    'chat.postMessage',
    {
      workspace: tier(300).workspace,
      channel: { perMinute: 60, burst: 4, reserve: { decision: 0, verdict: 1, progress: 2 } },
    },
  ],
  ['chat.update', tier(50)],
  ['chat.postEphemeral', tier(100)],
  ['conversations.history', tier(50)],
  ['conversations.replies', tier(50)],
  ['files.uploadV2', tier(20)],
]);

/** For a method that is not in the table: tier 2, the lowest that any method of ours has. */
export const otherMethod: MethodLimits = tier(20);
