/** What chronyd says of its synchronisation. */
export interface Tracking {
  /** The server's address; `itself` for the machine's own clock (chrony's `local`); `none` when unsynchronised. */
  readonly source: string;
  readonly stratum: number;
  /** When it last heard of a source, by the machine's clock, in milliseconds since the epoch. */
  readonly heardAt: number;
  /** How far the system clock is from what chronyd holds for the true time, in milliseconds. */
  readonly offsetMs: number;
}

/** The reference id of a local clock, 127.127.1.1 (chronyc(1), `tracking`). */
const ownClock = '7F7F0101';

/**
 * Reads `chronyc -n -c tracking`: reference id, address, stratum, reference time, offset in seconds, and so on,
 * the leap status last. undefined when it is no such line, as where chronyd does not run.
 */
export function parseTracking(text: string): Tracking | undefined {
  const fields = text.trim().split(',');
  const [id = '', address = '', stratum = '', heard = '', offset = ''] = fields;
  const leap = fields.at(-1);
  if (fields.length < 14 || !/^[0-9A-F]{8}$/.test(id) || !/^\d+$/.test(stratum)) return undefined;
  const offsetSeconds = Number(offset);
  const heardSeconds = Number(heard);
  if (offset === '' || heard === '' || !Number.isFinite(offsetSeconds + heardSeconds)) return undefined;
  const source = leap === 'Not synchronised' ? 'none' : id === ownClock ? 'itself' : address || id;
  const numbers = { heardAt: heardSeconds * 1000, offsetMs: Math.abs(offsetSeconds) * 1000 };
  return { source, stratum: Number(stratum), ...numbers };
}
