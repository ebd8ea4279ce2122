/** Everything about the export of the ledger that can be set, with its unit. */
export interface LedgerExportSettings {
  /** A file that has become this large is put aside, and another one begun. */
  readonly maxBytes: number;
  /** How many entries are read, written and brought to the disk at a time. */
  readonly batchEntries: number;
  /** How long nothing is asked of Redis after it had nothing more. */
  readonly pollIntervalMs: number;
  /** New entries are signed after this time at the latest … */
  readonly checkpointIntervalMs: number;
  /** … or when there are this many. */
  readonly checkpointEntries: number;
  /** How long nothing is tried after a failure of Redis or of the disk. */
  readonly retryIntervalMs: number;
  /**
   * How many of the last entries are remembered, to find out what is left of them after Redis lost some. More than
   * Redis writes in the second that it may lose.
   */
  readonly rememberedEntries: number;
  /** Another host's lock that was not renewed for so long is void. */
  readonly lockVoidAfterMs: number;
}

export const ledgerExportDefaults: LedgerExportSettings = {
  maxBytes: 64 * 1024 * 1024,
  batchEntries: 500,
  pollIntervalMs: 1_000,
  checkpointIntervalMs: 10_000,
  checkpointEntries: 1_000,
  retryIntervalMs: 5_000,
  rememberedEntries: 5_000,
  lockVoidAfterMs: 60_000,
};
