/** Upper limits in seconds: from a command of a fast machine to the longest task that a run may take. */
export const durationBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

/** A duration for Prometheus, whose base unit is the second. Clocks of two computers may disagree about its sign. */
export function toSeconds(durationMs: number): number {
  return Math.max(0, durationMs) / 1_000;
}
