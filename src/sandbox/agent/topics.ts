import { formatBytes, formatNumber } from '../../fleet/format.ts';
import { systemTopics } from './system-topics.ts';
import type { Topic } from './topic.ts';

const shownMax = 3;
const secondsPerHour = 3_600;
const memoryFileSystems = new Set(['tmpfs', 'devtmpfs', 'ramfs', 'efivarfs', 'squashfs']);

const makesRoom = /\b(vacuum|clean|cleanup|prune|shrink|trim|empty)\b/i;

const cleanup: Topic = {
  name: 'cleanup',
  words: /\b(clean(?:ing)?|cleanup|tidy|vacuum|shrink|prune|trim|make (?:some )?room)\b/gi,
  commands: ['du -xk --max-depth=1 /var'],
  denied: 'journalctl --vacuum-size=100M',
  cures: makesRoom,
  explain([du = '']) {
    return [largestFolders(du)];
  },
};

const disk: Topic = {
  name: 'disk',
  words: /\b(disks?|space|inodes?|file ?systems?|storage|full|df|du)\b/gi,
  commands: ['df -PkT', 'du -xk --max-depth=1 /var'],
  cures: makesRoom,
  explain([df = '', du = '']) {
    const rows = df.matchAll(/^\S+ +(\S+) +(\d+) +(\d+) +(\d+) +(\d+)% +(\/.*)$/gm);
    const fullest = [...rows]
      .map(([, type = '', total, used, free, percent, mount = '']) => ({
        type,
        mount,
        total: Number(total) * 1024,
        used: Number(used) * 1024,
        free: Number(free) * 1024,
        percent: Number(percent),
      }))
      .filter(({ type, mount }) => mount === '/' || !memoryFileSystems.has(type))
      .sort((a, b) => b.percent - a.percent)
      .slice(0, shownMax)
      .map(
        ({ mount, percent, used, free, total }) =>
          `${mount} ${percent} % used (${formatBytes(used)}), ${formatBytes(free)} free of ${formatBytes(total)}`,
      );
    return [listed('The fullest file systems:', fullest), largestFolders(du)];
  },
};

const memory: Topic = {
  name: 'memory',
  words: /\b(memory|ram|swap|oom|leaks?)\b/gi,
  commands: ['cat /proc/meminfo', 'ps -eo pid,user,rss,comm --sort=-rss'],
  explain([meminfo = '', ps = '']) {
    const kib = (field: string): number =>
      Number(new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(meminfo)?.[1]);
    const total = kib('MemTotal') * 1024;
    const available = kib('MemAvailable') * 1024;
    const percent = Math.round((available / total) * 1000) / 10;
    const summary = Number.isFinite(percent)
      ? `memory ${percent} % of ${formatBytes(total)} available, ${formatBytes(available)}.`
      : '/proc/meminfo does not tell how much memory is available.';
    const largest = processes(ps).map(({ name, pid, user, figure }) => {
      return `${name} (pid ${pid}, ${user}) ${formatBytes(figure * 1024)}`;
    });
    return [summary, listed('The processes with the most resident memory:', largest)];
  },
};

const load: Topic = {
  name: 'load',
  words: /\b(load|cpus?|processors?|slow|busy)\b/gi,
  commands: ['cat /proc/loadavg', 'nproc', 'ps -eo pid,user,pcpu,comm --sort=-pcpu'],
  explain([loadavg = '', nproc = '', ps = '']) {
    const [one, five, fifteen] = loadavg.split(' ');
    const busiest = processes(ps).map(
      ({ name, pid, user, figure }) => `${name} (pid ${pid}, ${user}) ${figure} %`,
    );
    return [
      `The load is ${one} over 1 minute, ${five} over 5 and ${fifteen} over 15, on ${nproc.trim()} processors.`,
      listed('The processes with the most processor time, averaged over their lives:', busiest),
    ];
  },
};

const services: Topic = {
  name: 'services',
  words:
    /\b(services?|units?|systemd|daemons?|failed|running|stopped|crash(?:ed|es)?|alive|down|redis|postgres|nginx|sshd)\b/gi,
  commands: ['systemctl --failed --plain --no-legend'],
  explain([failed = '']) {
    const units = [...failed.matchAll(/^(\S+\.\w+) +\S+ +failed\b/gm)].map(([, unit = '']) => unit);
    return units.length > 0
      ? [listed(`${units.length} failed:`, units)]
      : ['systemctl lists no failed unit.'];
  },
};

const uptime: Topic = {
  name: 'uptime',
  words: /\b(uptime|started|boot(?:ed)?|reboot(?:ed|s)?|restarted)\b/gi,
  commands: ['cat /proc/uptime'],
  explain([text = '']) {
    const seconds = Number.parseInt(text, 10);
    if (Number.isNaN(seconds)) return ['/proc/uptime does not tell how long this computer has been up.'];
    return [`This computer has been up for ${seconds} s (${formatNumber(seconds / secondsPerHour)} hours).`];
  },
};

/** What a question is about in doubt comes first. */
export const topics: readonly Topic[] = [cleanup, disk, memory, load, services, ...systemTopics, uptime];

/** The first rows of a table of ps: pid, user, a figure, command. */
function processes(ps: string): { pid: string; user: string; figure: number; name: string }[] {
  return [...ps.matchAll(/^ *(\d+) +(\S+) +([\d.]+) +(.+)$/gm)]
    .slice(0, shownMax)
    .map(([, pid = '', user = '', figure, name = '']) => ({
      pid,
      user,
      figure: Number(figure),
      name: name.trim(),
    }));
}

/** The folders that du lists, the largest first. */
function largestFolders(du: string): string {
  const largest = [...du.matchAll(/^(\d+)\s+(\/var\/.+)$/gm)]
    .map(([, kib, path = '']) => ({ path, bytes: Number(kib) * 1024 }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, shownMax)
    .map(({ path, bytes }) => `${path} ${formatBytes(bytes)}`);
  return listed('The largest folders in /var:', largest);
}

function listed(title: string, items: readonly string[]): string {
  return items.length > 0 ? `${title} ${items.join('; ')}.` : `${title} nothing was listed.`;
}
