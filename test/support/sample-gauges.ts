import type { QueueGauges } from '../../src/telemetry/metrics/queue-gauges.ts';

/** What a Redis at work holds. */
export const sampleGauges: QueueGauges = {
  inboxDepth: 12,
  deepestInbox: 5,
  oldestRequestAgeMs: 90_500,
  runsInProgress: 2,
  machinesBusy: 4,
  quarantinedMachines: ['web-02', 'web-01'],
  haltedMachines: 1,
  silencesOpen: 3,
  incidentsOpen: 2,
  approvalsWaiting: 2,
  oldestApprovalAgeMs: 60_500,
  dirtyViews: 3,
  oldestDirtyViewAgeMs: 1_500,
  ledgerEntries: 1_000,
  ledgerUnexported: 7,
  assessmentsWaiting: 1,
  budgetsSpent: new Map([['web', 0.85]]),
  redisUsedMemoryBytes: 5_000_000,
  redisMemoryLimitBytes: 8_000_000,
};
