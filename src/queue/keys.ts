/**
 * The names of everything in Redis, as the Lua scripts use them too (they get the prefix as KEYS[1]).
 *
 * ```
 * seen            hash: EVENT → run ids of the acceptance separated by spaces, or the id of a halt
 * seen:order      list of the event ids in it, newest first
 * run:ID          hash: body (JSON), machine, campaign, state, verdict, fence, cancellation (JSON),
 *                 dirty (its score in views:dirty or views:again, while it is in one of them),
 *                 evicted (while it is kept only until its view is up to date)
 * inbox:MACHINE   list of run ids, in order
 * machine:NAME    hash: fence, current (run id), quarantine (JSON), turn (fence of its worker's first claim),
 *                 drift (JSON)
 * approvals:waiting zset of the runs in state awaiting by the time at which they are to be looked at: to remind
 *                 people, to ask others, or to give up
 * approvals:asked zset of the same runs by the time at which people were asked
 * awaiting:MACHINE list of the same runs of a machine, newest first
 * signer:asks     zset of JSON by the time at which it was asked: what is to be signed, and no signer has in hand
 * signer:reply:ID JSON: the answer; expires
 * signer:seen     exists while a signer looks for wishes; expires
 * quarantined     set of the machines that have a quarantine
 * halts           hash: ID → JSON, of those that hold or have left locks
 * halts:version   time at which `halts` last changed
 * halt:ID         hash: :halt (JSON), then MACHINE → JSON of what became of it
 * notice:ID       JSON; expires
 * lease:NAME      who leads; expires
 * ledger          stream: seq, entry (JSON)
 * ledger:seq      counter
 * ledger:slots    hash: SLOT → value, for entries that are written once per value
 * ledger:exporters hash: NAME → "SEQ MS", the last entry that it has on disk and when it told so
 * busy            set of the machines that have an inbox or a current run; whoever adds one wakes it, and
 *                 only a claim that finds nothing removes it
 * finished:NAME   list of run ids, newest first
 * recent          list of run ids over all machines, newest first
 * campaign:ID     hash: :campaign (JSON), then MACHINE → "RUN STATE VERDICT INERTNESS"
 * views:dirty     zset of KIND:ID by priority, then age
 * views:held      zset of KIND:ID by the time until which it is leased or postponed
 * views:again     zset like views:dirty, of what became dirty while it was held
 * views:leases    hash: KIND:ID → "LEASE SCORE"
 * views:lease     counter
 * parts:ID        hash: intended:PART → ms, posted:PART → JSON
 * budget:BUCKET   "TOKENS MS", how many there were and when; expires when it is full again
 * blocked:BUCKET  exists while nobody may call
 * ```
 */
export class Keys {
  /** With its colon. */
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = `${prefix}:`;
  }

  readonly run = (id: string): string => `${this.prefix}run:${id}`;
  readonly inbox = (machine: string): string => `${this.prefix}inbox:${machine}`;
  readonly machine = (name: string): string => `${this.prefix}machine:${name}`;
  readonly awaiting = (machine: string): string => `${this.prefix}awaiting:${machine}`;
  readonly finished = (machine: string): string => `${this.prefix}finished:${machine}`;
  readonly campaign = (id: string): string => `${this.prefix}campaign:${id}`;
  readonly parts = (id: string): string => `${this.prefix}parts:${id}`;
  readonly halt = (id: string): string => `${this.prefix}halt:${id}`;
  readonly notice = (id: string): string => `${this.prefix}notice:${id}`;
  readonly signerReply = (askId: string): string => `${this.prefix}signer:reply:${askId}`;
  readonly blocked = (bucket: string): string => `${this.prefix}blocked:${bucket}`;
  readonly busy = (): string => `${this.prefix}busy`;
  readonly recent = (): string => `${this.prefix}recent`;
  readonly approvalsWaiting = (): string => `${this.prefix}approvals:waiting`;
  readonly approvalsAsked = (): string => `${this.prefix}approvals:asked`;
  readonly signerAsks = (): string => `${this.prefix}signer:asks`;
  readonly signerSeen = (): string => `${this.prefix}signer:seen`;
  readonly dirtyViews = (): string => `${this.prefix}views:dirty`;
  readonly heldViews = (): string => `${this.prefix}views:held`;
  readonly quarantined = (): string => `${this.prefix}quarantined`;
  /** A hash, and the channel on which its changes are told. */
  readonly halts = (): string => `${this.prefix}halts`;
  readonly haltsVersion = (): string => `${this.prefix}halts:version`;
  readonly ledger = (): string => `${this.prefix}ledger`;
  readonly ledgerSeq = (): string => `${this.prefix}ledger:seq`;
  readonly ledgerExporters = (): string => `${this.prefix}ledger:exporters`;
  /** The channel on which cancellations of running runs are told. */
  readonly cancelled = (): string => `${this.prefix}cancelled`;
}
