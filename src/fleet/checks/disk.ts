import type { Check } from '../check.ts';
import type { CommandOutput } from '../evidence.ts';
import type { Finding } from '../finding.ts';
import { formatBytes, formatCount } from '../format.ts';
import type { Expect, Machine } from '../machine.ts';
import { composeQuestion, subjectsOf } from './compose-question.ts';
import { judgeLimits } from './judge-limits.ts';
import { type DfRow, parseDf } from './parse-df.ts';
import { inconclusive, readOutput } from './read-output.ts';

type DiskExpect = Expect['disk'];

/** One of df's two tables: what fills up, where its output stands, and which limits are meant. */
interface Table {
  readonly output: number;
  readonly unit: string;
  limits(expect: DiskExpect, mount: string): { warn: number; critical: number };
  describe(row: DfRow, usedPercent: number): string;
}

const space: Table = {
  output: 0,
  unit: '%',
  limits: (expect, mount) => ({
    warn: expect.mounts[mount]?.warnUsedPercent ?? expect.warnUsedPercent,
    critical: expect.mounts[mount]?.criticalUsedPercent ?? expect.criticalUsedPercent,
  }),
  describe: (row, used) =>
    `${row.mount} ${used} % used (${ofKib(row.used)}), ${ofKib(row.free)} free of ${ofKib(row.total)}`,
};

const inodes: Table = {
  output: 1,
  unit: '% of inodes',
  limits: (expect, mount) => ({
    warn: expect.mounts[mount]?.warnInodesPercent ?? expect.warnInodesPercent,
    critical: expect.mounts[mount]?.criticalInodesPercent ?? expect.criticalInodesPercent,
  }),
  describe: (row, used) =>
    `${row.mount} ${used} % of inodes used (${formatCount(row.used)}), ${formatCount(row.free)} free`,
};

/** df ends with 1 when it could not read one file system; the others are in the table all the same. */
const dfRan = [0, 1];

/** Space and inodes of every file system, as `df -P` of the machine reports them. */
export const disk: Check = {
  name: 'disk',
  summary: 'space and inodes of every file system',
  commands: () => [
    ['df', '-PkT'],
    ['df', '-PiT'],
  ],
  judge: (machine, outputs) => [space, inodes].flatMap((table) => judgeTable(machine, outputs, table)),
  question: (machine, findings) =>
    composeQuestion(
      machine,
      findings,
      'disk use',
      (bad) =>
        `Find out what fills ${subjectsOf(bad)}: the largest directories and files, what grew lately, deleted files that are still held open, and for inodes the directories with the most files. Say what could be removed or moved, and how sure you are. Change nothing.`,
      'All are within their limits. Look whether one of them is filling up: what grew lately, and how fast. Change nothing.',
    ),
};

function ofKib(kib: number): string {
  return formatBytes(kib * 1024);
}

function judgeTable(machine: Machine, outputs: readonly CommandOutput[], table: Table): Finding[] {
  const expect = machine.expect.disk;
  const { text, problem } = readOutput(outputs, table.output, dfRan);
  const findings = problem === undefined ? [] : [inconclusive('disk', problem, table.output)];
  if (text === undefined) return findings;
  findings.push(...unreadableMounts(outputs[table.output]?.stderr ?? '', expect, table.output));
  const parsed = parseDf(text);
  if (parsed === undefined) {
    const reason = 'df did not print its English table; the broker has to run it with LC_ALL=C';
    return findings.length > 0 ? findings : [inconclusive('disk', reason, table.output)];
  }
  for (const line of parsed.unread) {
    findings.push(
      inconclusive('disk', `df printed a line that is no row of its table: ${line}`, table.output),
    );
  }
  for (const row of onceEach(
    parsed.rows.filter((r) => isJudged(r, expect)),
    expect,
  )) {
    if (row.usedPercent === undefined) continue;
    const limits = { ...table.limits(expect, row.mount), bad: 'high' } as const;
    const { severity, limit } = judgeLimits(row.usedPercent, limits, '%');
    findings.push({
      severity,
      subject: row.mount,
      text: `${table.describe(row, row.usedPercent)} (${limit})`,
      output: table.output,
      measure: { value: row.usedPercent, unit: table.unit },
    });
  }
  // A machine without any file system to judge does not exist; file systems without inode counts do.
  if (findings.length === 0 && table === space) {
    findings.push(inconclusive('disk', 'df listed no file system that is judged here', table.output));
  }
  return findings;
}

/** Complaints of df about single mount points: `df: /mnt/x: Permission denied`. */
function unreadableMounts(stderr: string, expect: DiskExpect, output: number): Finding[] {
  return [...stderr.matchAll(/^df: ['‘]?(\/.*?)['’]?: (.+)$/gm)].flatMap(([, mount = '', reason = '']) =>
    isIgnored(mount, expect)
      ? []
      : [inconclusive(mount, `df says "${reason}" (if it does not matter, add it to ignoreMounts)`, output)],
  );
}

function isIgnored(mount: string, expect: DiskExpect): boolean {
  return expect.ignoreMounts.some((pattern) =>
    pattern.endsWith('*') ? mount.startsWith(pattern.slice(0, -1)) : mount === pattern,
  );
}

/** `/` and a mount point with limits of its own are judged whatever their file system's type is. */
function isJudged(row: DfRow, expect: DiskExpect): boolean {
  if (isIgnored(row.mount, expect)) return false;
  if (row.mount === '/' || Object.hasOwn(expect.mounts, row.mount)) return true;
  return !expect.ignoreTypes.includes(row.type);
}

/**
 * Counts a file system that is mounted several times (bind mounts, subvolumes) once, at its shortest mount
 * point. Only a device with a `/` or `:` in its name is known to be one thing: every tmpfs is called `tmpfs`.
 */
function onceEach(rows: readonly DfRow[], expect: DiskExpect): DfRow[] {
  const kept = new Map<string, DfRow>();
  for (const row of [...rows].sort((a, b) => a.mount.length - b.mount.length)) {
    const identified = /[/:]/.test(row.device) && !Object.hasOwn(expect.mounts, row.mount);
    const key = identified ? `${row.device}\n${row.type}\n${row.total}` : row.mount;
    if (!kept.has(key)) kept.set(key, row);
  }
  const first = new Set(kept.values());
  return rows.filter((row) => first.has(row));
}
