/** What Redis holds at one moment, over all processes. Ages are of our clock and 0 where there is nothing. */
export interface QueueGauges {
  /** Requests that wait, over all machines. */
  readonly inboxDepth: number;
  /** Requests that wait for the machine for which most do. */
  readonly deepestInbox: number;
  readonly oldestRequestAgeMs: number;
  readonly runsInProgress: number;
  /** Machines that have an inbox or a current run. */
  readonly machinesBusy: number;
  /** Their names. */
  readonly quarantinedMachines: readonly string[];
  readonly haltedMachines: number;
  /** Silences and maintenance windows that hold. */
  readonly silencesOpen: number;
  readonly incidentsOpen: number;
  /** Questions that wait for people to decide them. */
  readonly approvalsWaiting: number;
  readonly oldestApprovalAgeMs: number;
  /** Views that Slack does not show yet. */
  readonly dirtyViews: number;
  readonly oldestDirtyViewAgeMs: number;
  readonly ledgerEntries: number;
  readonly ledgerUnexported: number;
  /** What people said of traces that MLflow does not know yet. */
  readonly assessmentsWaiting: number;
  /** How much of each budget of the fleet file is spent in its period, by name: 1 is all of it. */
  readonly budgetsSpent: ReadonlyMap<string, number>;
  readonly redisUsedMemoryBytes: number;
  /** `maxmemory`, or the memory of Redis's computer where none is set; 0 where neither is known. */
  readonly redisMemoryLimitBytes: number;
}
