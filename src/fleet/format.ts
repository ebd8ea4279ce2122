const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes in the binary units of `df -h` and `free -h` with one digit after the point: `40.0 GiB`. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1023.95 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${byteUnits[unit]}`;
}

/** A number with at most two digits after the point and no trailing zeros: `0.3`, `96`. */
export function formatNumber(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** A count with its thousands apart: `16,777,216`. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US');
}

/** A moment, in UTC because machines and people are in many zones: `2026-11-22 10:00:00 UTC`. */
export function formatMoment(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A moment as people of a time zone read it: `Mon 2026-11-23 03:00 Europe/Berlin`. */
export function formatMomentIn(atMs: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone, hourCycle: 'h23', weekday: 'short', year: 'numeric' },
    ...{ month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
  });
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  const date = `${part('weekday')} ${part('year')}-${part('month')}-${part('day')}`;
  return `${date} ${part('hour')}:${part('minute')} ${timeZone}`;
}
