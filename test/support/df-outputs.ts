import type { CommandOutput } from '../../src/fleet/evidence.ts';

/** What the commands of the check `disk` print on a machine whose `/` and `/var` are this full, in percent. */
export function dfOutputs(rootPercent = 20, varPercent = 40): CommandOutput[] {
  const row = (percent: number, mount: string) =>
    `/dev/sd${mount.length} ext4 20000000 ${percent * 200_000} ${(100 - percent) * 200_000} ${percent}% ${mount}`;
  const rows = [row(rootPercent, '/'), row(varPercent, '/var')];
  const inodes = ['/dev/sd1 ext4 1000000 10000 990000 1% /', '/dev/sd4 ext4 1000000 10000 990000 1% /var'];
  return [
    printed(['df', '-PkT'], ['Filesystem Type 1024-blocks Used Available Capacity Mounted on', ...rows]),
    printed(['df', '-PiT'], ['Filesystem Type Inodes IUsed IFree IUse% Mounted on', ...inodes]),
  ];
}

function printed(argv: string[], lines: readonly string[]): CommandOutput {
  const stdout = `${lines.join('\n')}\n`;
  return { argv, exitCode: 0, stdout, stderr: '', truncated: false, durationMs: 5 };
}
