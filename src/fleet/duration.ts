const unitsMs = { w: 7 * 24 * 3_600_000, d: 24 * 3_600_000, h: 3_600_000, m: 60_000 } as const;

/**
 * A span of time as people type it where they silence alerts elsewhere (Prometheus, PagerDuty): `30m`, `2h`, `1d12h`, `1w`.
 * In milliseconds; undefined for anything else.
 */
export function readDuration(text: string): number | undefined {
  const found = /^(?:(\d{1,4})w)?(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?$/.exec(text.toLowerCase());
  if (found === null || text === '') return undefined;
  return Object.values(unitsMs).reduce((sum, ms, index) => sum + Number(found[index + 1] ?? 0) * ms, 0);
}
