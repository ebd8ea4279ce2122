/**
 * The names of everything in Redis, as the Lua scripts use them too (they get the prefix as KEYS[1]).
 *
 * ```
 * seen:EVENT      run ids of the acceptance, separated by spaces; expires
 * run:ID          hash: body (JSON), machine, campaign, state, verdict, fence, cancellation (JSON),
 *                 dirty (its score in views:dirty or views:again, while it is in one of them)
 * inbox:MACHINE   list of run ids, in order
 * machine:NAME    hash: fence, current (run id), quarantine (JSON), turn (fence of its worker's first claim)
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
 * budget:BUCKET   hash: tokens, at
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
  readonly finished = (machine: string): string => `${this.prefix}finished:${machine}`;
  readonly campaign = (id: string): string => `${this.prefix}campaign:${id}`;
  readonly parts = (id: string): string => `${this.prefix}parts:${id}`;
  readonly blocked = (bucket: string): string => `${this.prefix}blocked:${bucket}`;
  readonly busy = (): string => `${this.prefix}busy`;
  readonly recent = (): string => `${this.prefix}recent`;
  /** The channel on which cancellations of running runs are told. */
  readonly cancelled = (): string => `${this.prefix}cancelled`;
}
