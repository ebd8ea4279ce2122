/**
 * The names of everything in Redis, as the Lua scripts use them too (they get the prefix as KEYS[1]).
 *
 * ```
 * seen            hash: EVENT → run ids of the acceptance separated by spaces, or the id of a halt or silence
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
 * hand-over:ID    JSON; expires once it is over
 * hand-overs:due  zset of the ids of those that are not over, by the time at which somebody is called next
 * handed-over:MACHINE hash: TASK → id of its last hand-over, until the task finds all well there; expires
 * awaiting:MACHINE list of the same runs of a machine, newest first
 * signer:asks     zset of JSON by the time at which it was asked: what is to be signed, and no signer has in hand
 * signer:reply:ID JSON: the answer; expires
 * signer:seen     exists while a signer looks for wishes; expires
 * peer:MACHINE:CHECK:TROUBLE the run because of which the machine is asked about it, or which found it there; expires
 * quarantined     set of the machines that have a quarantine
 * halts           hash: ID → JSON, of those that hold or have left locks
 * halts:version   time at which `halts` last changed
 * halt:ID         hash: :halt (JSON), then MACHINE → JSON of what became of it
 * silences        hash: ID → JSON, of people's that are not over
 * silences:ends   zset of the ids of silences, and of windows that held something back, by the time at which they are
 *                 over, until that is told
 * silence:ID      hash: :silence (JSON), then JSON of [KIND, MACHINE, WHAT] → how often it was held back; expires once
 *                 it is over
 * schedules       hash: NAME → JSON, of those that people set up in Slack
 * schedules:state hash: NAME → JSON of what was done about it so far
 * notice:ID       JSON; expires
 * lease:NAME      who leads; expires
 * ledger          stream: seq, entry (JSON)
 * ledger:seq      counter
 * ledger:slots    hash: SLOT → value, for entries that are written once per value
 * ledger:exporters hash: NAME → "SEQ MS", the last entry that it has on disk and when it told so
 * ledger:cursors  hash: READER → position of the last entry that it has passed; its seq is in ledger:exporters
 * ledger:put-off:READER zset of JSON by the time until which it is put off: entries that it has passed and for which
 *                 something is still to be done
 * spending:TIME   hash: JSON of [MACHINE, WHO, MODEL or null] → what was used, as the numbers of `Spent` in their
 *                 order; of a day (2026-11-23) and of a month (2026-11), UTC; expires
 * busy            set of the machines that have an inbox or a current run; whoever adds one wakes it, and
 *                 only a claim that finds nothing removes it
 * finished:NAME   list of run ids, newest first
 * traces:open     zset of the runs that are done and whose traces nobody is known to have ended, by the time of their end
 * recent          list of run ids over all machines, newest first
 * campaign:ID     hash: :campaign (JSON), then MACHINE → "RUN STATE VERDICT INERTNESS ALIKE" of those with a run
 * campaigns:open  zset of the campaigns of which more is to be handed in, by the time of acceptance
 * incident:ID     hash: body (JSON), version (counts up)
 * incident:ID:alerts hash: FINGERPRINT → JSON of what is remembered of it; of open ones
 * incident:ID:targets hash: "MACHINE CHECK" → "COUNT MS": how many alerts fire for it, and since when any does
 * incidents:open  hash: KEY → id of the open incident of its alerts
 * incidents:storms hash: CHANNEL → id of its open storm
 * incidents:due   zset of the open incidents by the time at which they are to be looked at
 * delivery:EVENT  id of the incident that took it; expires
 * cooldown:MACHINE:CHECK "INCIDENT ROUND MS RUN": who looked on account of alerts, and when; expires
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
  readonly openCampaigns = (): string => `${this.prefix}campaigns:open`;
  readonly parts = (id: string): string => `${this.prefix}parts:${id}`;
  readonly halt = (id: string): string => `${this.prefix}halt:${id}`;
  readonly silence = (id: string): string => `${this.prefix}silence:${id}`;
  readonly notice = (id: string): string => `${this.prefix}notice:${id}`;
  readonly signerReply = (askId: string): string => `${this.prefix}signer:reply:${askId}`;
  readonly blocked = (bucket: string): string => `${this.prefix}blocked:${bucket}`;
  readonly seen = (): string => `${this.prefix}seen`;
  readonly incident = (id: string): string => `${this.prefix}incident:${id}`;
  readonly incidentAlerts = (id: string): string => `${this.prefix}incident:${id}:alerts`;
  readonly incidentTargets = (id: string): string => `${this.prefix}incident:${id}:targets`;
  readonly openIncidents = (): string => `${this.prefix}incidents:open`;
  readonly storms = (): string => `${this.prefix}incidents:storms`;
  readonly incidentsDue = (): string => `${this.prefix}incidents:due`;
  readonly coolDown = (machine: string, check: string): string =>
    `${this.prefix}cooldown:${machine}:${check}`;
  readonly delivery = (eventId: string): string => `${this.prefix}delivery:${eventId}`;
  readonly openTraces = (): string => `${this.prefix}traces:open`;
  readonly busy = (): string => `${this.prefix}busy`;
  readonly recent = (): string => `${this.prefix}recent`;
  readonly approvalsWaiting = (): string => `${this.prefix}approvals:waiting`;
  readonly approvalsAsked = (): string => `${this.prefix}approvals:asked`;
  readonly handOver = (id: string): string => `${this.prefix}hand-over:${id}`;
  readonly handedOver = (machine: string): string => `${this.prefix}handed-over:${machine}`;
  readonly handOversDue = (): string => `${this.prefix}hand-overs:due`;
  readonly signerAsks = (): string => `${this.prefix}signer:asks`;
  readonly signerSeen = (): string => `${this.prefix}signer:seen`;
  readonly dirtyViews = (): string => `${this.prefix}views:dirty`;
  readonly heldViews = (): string => `${this.prefix}views:held`;
  readonly quarantined = (): string => `${this.prefix}quarantined`;
  /** A hash, and the channel on which its changes are told. */
  readonly halts = (): string => `${this.prefix}halts`;
  readonly haltsVersion = (): string => `${this.prefix}halts:version`;
  readonly silences = (): string => `${this.prefix}silences`;
  readonly silenceEnds = (): string => `${this.prefix}silences:ends`;
  readonly schedules = (): string => `${this.prefix}schedules`;
  readonly scheduleStates = (): string => `${this.prefix}schedules:state`;
  /** Of a day or a month. */
  readonly spending = (time: string): string => `${this.prefix}spending:${time}`;
  readonly ledger = (): string => `${this.prefix}ledger`;
  readonly ledgerSeq = (): string => `${this.prefix}ledger:seq`;
  readonly ledgerExporters = (): string => `${this.prefix}ledger:exporters`;
  readonly ledgerCursors = (): string => `${this.prefix}ledger:cursors`;
  readonly ledgerPutOff = (reader: string): string => `${this.prefix}ledger:put-off:${reader}`;
  /** The channel on which cancellations of running runs are told. */
  readonly cancelled = (): string => `${this.prefix}cancelled`;
}
