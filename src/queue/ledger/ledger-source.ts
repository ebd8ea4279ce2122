/** One entry of the ledger as it stands in Redis. */
export interface SourceEntry {
  /** Later entries have later positions. */
  readonly position: string;
  /** Counts up by one over all entries; goes back only where Redis lost its last ones. */
  readonly seq: number;
  /** The JSON text of a LedgerEntry. */
  readonly entry: string;
}

/** What an exporter needs of the ledger. Deliberately not here: writing entries, and trimming them. */
export interface LedgerSource {
  /** The entries from a position on, that one included ('' for the oldest that is kept), oldest first. */
  read(from: string, limit: number): Promise<readonly SourceEntry[]>;
  /** Entries up to `seq` are on this exporter's disk: it does not need them any more. */
  exported(exporter: string, seq: number): Promise<void>;
}
