/** `count` random bytes; `randomBytes` of node:crypto outside tests. */
export type RandomBytes = (count: number) => Uint8Array;

const timeDigits = 8;
const suffixes = 36 ** 4;

/** Makes the ids that a run gets when it is accepted. */
export interface Ids {
  /**
   * `r-`, 8 base36 digits of the time in ms, 4 more that count on from a random start: this process repeats
   * none; `accept` refuses one that another process made.
   */
  runId(nowMs: number): string;
  /** The same with `i-`, for an incident that alerts open. */
  incidentId(nowMs: number): string;
  /** W3C Trace Context ids of a new trace. */
  trace(): { traceId: string; rootSpanId: string };
}

/** When a run was accepted, in milliseconds since the epoch, as its id tells. */
export function timeOfRunId(id: string): number {
  return Number.parseInt(id.slice('r-'.length, 'r-'.length + timeDigits), 36);
}

export function createIds(random: RandomBytes): Ids {
  let next = Buffer.from(random(4)).readUInt32BE() % suffixes;
  const recordId = (kind: 'r' | 'i', nowMs: number): string => {
    next = (next + 1) % suffixes;
    return `${kind}-${nowMs.toString(36).padStart(timeDigits, '0')}${next.toString(36).padStart(4, '0')}`;
  };
  return {
    runId: (nowMs) => recordId('r', nowMs),
    incidentId: (nowMs) => recordId('i', nowMs),
    trace() {
      return {
        traceId: Buffer.from(random(16)).toString('hex'),
        rootSpanId: Buffer.from(random(8)).toString('hex'),
      };
    },
  };
}
