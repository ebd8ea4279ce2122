const timeDigits = 8;
const randomDigits = 4;
const base = 36;

/**
 * A letter for the kind of record (`c` campaign, `h` halt, `s` silence), 8 base-36 digits of the time and 4 random ones:
 * sorts by time, and is short enough to type.
 *
 * @param atMs milliseconds since the epoch
 * @param random a number from 0 up to, not including, 1
 */
export function recordId(kind: 'c' | 'h' | 's', atMs: number, random: number): string {
  const digits = (value: number, length: number) => value.toString(base).padStart(length, '0');
  return `${kind}-${digits(atMs, timeDigits)}${digits(Math.floor(random * base ** randomDigits), randomDigits)}`;
}
