import type { Check, Measured } from '../check.ts';
import type { CommandOutput } from '../evidence.ts';
import type { Finding } from '../finding.ts';
import { formatNumber } from '../format.ts';
import type { Machine } from '../machine.ts';
import { composeQuestion } from './compose-question.ts';
import { judgeLimits } from './judge-limits.ts';
import {
  newestMetadata,
  type PendingUpdates,
  parseAptSimulation,
  parseCheckUpdate,
} from './parse-updates.ts';
import { inconclusive, readOutput } from './read-output.ts';

const msPerDay = 86_400_000;

/** Where the outputs of `updates.commands` stand. */
const at = { metadata: 0, apt: 1, dnf: 2, dnfSecurity: 3, restart: 4, restartMark: 5 } as const;

const exitNotInstalled = 127;
/** dnf-check-update(8): 100 when there are updates. */
const dnfRan = [0, 100];
/** find and cat end with 1 where a path is not there, dnf needs-restarting where a reboot is due. */
const ranOrMissing = [0, 1];

/**
 * How each tool's metadata is known. apt's indexes have the archive's times; the folder into which they are
 * fetched has the one of the last update. dnf's repositories have a folder repodata.
 */
const aptMetadata = /^\/var\/lib\/apt\/lists\/partial$/;
const aptIndex = /^\/var\/lib\/apt\/lists\/.*_(?:InRelease|Release)$/;
const dnfMetadata = /^\/var\/cache\/(?:dnf|libdnf5)\/.*\/repodata\//;

/**
 * Updates that wait, as far as the machine knows: only from the metadata that it already has. apt and dnf are
 * both asked, and whichever is installed answers. As root, because dnf 5 keeps a cache for each user.
 */
export const updates: Check = {
  name: 'updates',
  summary: 'updates that wait, security updates, and a reboot that is due',
  root: true,
  commands: () => [
    [
      'find',
      '/var/lib/apt/lists',
      '/var/cache/dnf',
      '/var/cache/libdnf5',
      '-maxdepth',
      '3',
      '-printf',
      '%T@ %p\\n',
    ],
    [
      'apt-get',
      '--simulate',
      // Neither a lock is taken nor the cache of parsed lists renewed: nothing on the machine changes.
      '-oDebug::NoLocking=1',
      '-oDir::Cache::pkgcache=',
      '-oDir::Cache::srcpkgcache=',
      'dist-upgrade',
    ],
    ['dnf', '--quiet', '--cacheonly', 'check-update'],
    ['dnf', '--quiet', '--cacheonly', 'check-update', '--security'],
    ['dnf', '--cacheonly', 'needs-restarting', '-r'],
    ['cat', '/run/reboot-required'],
  ],
  judge: (machine, outputs, measured) => {
    const isInstalled = (index: number): boolean => outputs[index]?.exitCode !== exitNotInstalled;
    const tools = [...(isInstalled(at.apt) ? [judgeApt] : []), ...(isInstalled(at.dnf) ? [judgeDnf] : [])];
    if (tools.length === 0) {
      return [inconclusive('updates', 'neither apt-get nor dnf is installed on the machine', at.apt)];
    }
    return tools.flatMap((judge) => judge(machine, outputs, measured));
  },
  question: (machine, findings) =>
    composeQuestion(
      machine,
      findings,
      'pending updates',
      () =>
        'Find out which of the waiting updates matter most here: what they repair, whether the package is in use, and why they were not installed (held or excluded packages, a disabled timer, a repository that fails). Say in which order to install them and what has to restart, and how sure you are. Refresh, download and install nothing. Change nothing.',
      'Nothing that matters waits. Look whether updates are installed by themselves, and when that last worked. Refresh, download and install nothing. Change nothing.',
    ),
};

function judgeApt(machine: Machine, outputs: readonly CommandOutput[], measured: Measured): Finding[] {
  const { text, problem } = readOutput(outputs, at.apt);
  if (text === undefined || problem !== undefined) {
    return [inconclusive('updates', problem ?? 'there is no output', at.apt)];
  }
  const metadata = readOutput(outputs, at.metadata, ranOrMissing);
  const lists = metadata.text ?? '';
  // Without an index the folder's own times tell nothing.
  const isEmpty = newestMetadata(lists, aptIndex) === undefined;
  const age = isEmpty ? undefined : newestMetadata(lists, aptMetadata);
  const pending = parseAptSimulation(text);
  if (pending === undefined) {
    return [inconclusive('updates', 'apt-get did not print its English summary', at.apt)];
  }
  return [
    ...judgePending(machine, pending, at.apt),
    judgeAge(machine, age, metadata.problem, 'apt-get update', measured),
    judgeRestartMark(machine, outputs),
  ];
}

function judgeDnf(machine: Machine, outputs: readonly CommandOutput[], measured: Measured): Finding[] {
  const lists = [at.dnf, at.dnfSecurity].map((index) => {
    const { text, problem } = readOutput(outputs, index, dnfRan);
    if (text === undefined || problem !== undefined) return problem ?? 'there is no output';
    return parseCheckUpdate(text) ?? 'dnf printed a line that is no row of its table';
  });
  const [all = '', security = ''] = lists;
  if (typeof all === 'string') return [inconclusive('updates', all, at.dnf)];
  if (typeof security === 'string') return [inconclusive('updates', security, at.dnfSecurity)];
  const metadata = readOutput(outputs, at.metadata, ranOrMissing);
  const age = newestMetadata(metadata.text ?? '', dnfMetadata);
  return [
    ...judgePending(machine, { all, security }, at.dnf),
    judgeAge(machine, age, metadata.problem, 'dnf makecache', measured),
    judgeNeedsRestarting(machine, outputs),
  ];
}

function judgePending(machine: Machine, { all, security }: PendingUpdates, output: number): Finding[] {
  const { warnSecurity: warn, criticalSecurity: critical } = machine.expect.updates;
  const { severity, limit } = judgeLimits(security.length, { warn, critical, bad: 'high' }, '');
  return [
    {
      severity,
      subject: 'security updates',
      text: `${waiting(security.length, 'security update')}, as far as the repositories tell (${limit})`,
      output,
      measure: { value: security.length, unit: 'updates' },
    },
    {
      severity: 'ok',
      subject: 'updates',
      text: `${waiting(all.length, 'update')}, of every kind`,
      output,
      measure: { value: all.length, unit: 'updates' },
    },
  ];
}

/** Old metadata makes every count above one of the past; none at all makes it worthless. */
function judgeAge(
  machine: Machine,
  metadataAt: number | undefined,
  problem: string | undefined,
  cure: string,
  { now, clockSkewMs }: Measured,
): Finding {
  const subject = 'package metadata';
  if (metadataAt === undefined) {
    const reason = problem ?? `the machine has none, so it knows of no update; run ${cure} on it`;
    return inconclusive(subject, reason, at.metadata);
  }
  const days = Math.max(0, now + clockSkewMs - metadataAt) / msPerDay;
  const { warnMetadataDays } = machine.expect.updates;
  return {
    severity: days >= warnMetadataDays ? 'warning' : 'ok',
    subject,
    text: `${subject} is ${formatNumber(days)} days old (warn at ${formatNumber(warnMetadataDays)} days)`,
    output: at.metadata,
    measure: { value: days, unit: 'days' },
  };
}

/** Packages of Debian and Ubuntu leave this mark; where none does, nothing is known to need a reboot. */
function judgeRestartMark(machine: Machine, outputs: readonly CommandOutput[]): Finding {
  const mark = readOutput(outputs, at.restartMark, ranOrMissing);
  if (mark.problem !== undefined) return inconclusive('reboot', mark.problem, at.restartMark);
  return judgeRestart(machine, outputs[at.restartMark]?.exitCode === 0, at.restartMark);
}

function judgeNeedsRestarting(machine: Machine, outputs: readonly CommandOutput[]): Finding {
  const { text = '', problem } = readOutput(outputs, at.restart, ranOrMissing);
  if (/^Reboot is required/m.test(text)) return judgeRestart(machine, true, at.restart);
  if (/^Reboot should not be necessary/m.test(text)) return judgeRestart(machine, false, at.restart);
  const reason =
    problem ??
    'dnf did not tell whether a reboot is due; install its plugin needs-restarting (dnf-plugins-core, dnf5-plugins)';
  return inconclusive('reboot', reason, at.restart);
}

function judgeRestart(machine: Machine, isDue: boolean, output: number): Finding {
  const isWarned = isDue && machine.expect.updates.warnOnReboot;
  const unjudged = isDue && !isWarned ? ' (not judged here)' : '';
  return {
    severity: isWarned ? 'warning' : 'ok',
    subject: 'reboot',
    text: isDue ? `a reboot is due to make installed updates work${unjudged}` : 'no reboot is asked for',
    output,
  };
}

function waiting(count: number, noun: string): string {
  return count === 1 ? `1 ${noun} waits` : `${count} ${noun}s wait`;
}
