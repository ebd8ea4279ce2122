import { measured } from './judge.ts';

/** One line of the journal, as `journalctl` prints it where it may read it. */
export const sight = 'Nov 22 17:44:29 vm systemd[1]: systemd-timedated.service: Deactivated successfully.\n';

/** A line of `journalctl --output=json` of systemd 257, with these fields and this age. */
export function journalLine(fields: Readonly<Record<string, unknown>>, ageMinutes = 1): string {
  const microseconds = (measured.now - ageMinutes * 60_000) * 1000;
  return `${JSON.stringify({
    __CURSOR: 's=0519864239a04104b82befeb9ea5df91;i=79;b=43271b8e9a7f498dba92e69484e84e23;m=5824183aa',
    __REALTIME_TIMESTAMP: String(microseconds),
    __MONOTONIC_TIMESTAMP: '23660168106',
    _BOOT_ID: '43271b8e9a7f498dba92e69484e84e23',
    __SEQNUM: '121',
    PRIORITY: '3',
    ...fields,
  })}\n`;
}
