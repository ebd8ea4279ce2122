import type { Topic } from './topic.ts';

const shownMax = 3;

const logs: Topic = {
  name: 'logs',
  words: /\b(logs?|logged|errors?|journal|journald|syslog)\b/gi,
  commands: ['journalctl --no-pager --reverse --lines=50 --priority=err --since=-60min'],
  explain([journal = '']) {
    const programs = writersOf(journal);
    if (programs.length === 0) return ['journalctl shows no error of the last 60 minutes.'];
    return [`Errors of the last 60 minutes: ${programs.join('; ')}.`];
  },
};

const kernel: Topic = {
  name: 'kernel',
  words: /\b(kernels?|dmesg|drivers?|hardware)\b/gi,
  commands: ['journalctl --no-pager --reverse --lines=50 --priority=err --dmesg --boot'],
  explain([journal = '']) {
    const count = journal.match(/^\w{3} +\d+ [\d:]{8} /gm)?.length ?? 0;
    return [`journalctl shows ${count} ${count === 1 ? 'error' : 'errors'} of the kernel since the boot.`];
  },
};

const network: Topic = {
  name: 'network',
  words: /\b(networks?|networking|routes?|dns|ports?|interfaces?|links?|listen(?:s|ing)?)\b/gi,
  commands: ['ip -j route show default', 'ss -Hltn'],
  explain([route = '', ss = '']) {
    const gateway = /"gateway":"([^"]+)","dev":"([^"]+)"/.exec(route);
    const ports = [...ss.matchAll(/^LISTEN\s+\d+\s+\d+\s+\S+:(\d+)\s/gm)].map(([, port]) => Number(port));
    const listened = [...new Set(ports)].sort((a, b) => a - b);
    return [
      gateway
        ? `The default route goes over ${gateway[2]} to ${gateway[1]}.`
        : 'There is no default route of IPv4.',
      listened.length > 0 ? `TCP ports listened on: ${listened.join(', ')}.` : 'No TCP port is listened on.',
    ];
  },
};

const time: Topic = {
  name: 'time',
  words: /\b(clocks?|ntp|chrony|time ?zone|synchroni[sz]\w+)\b/gi,
  commands: ['timedatectl show --no-pager'],
  explain([text = '']) {
    const value = (property: string): string =>
      new RegExp(`^${property}=(.+)$`, 'm').exec(text)?.[1] ?? 'unknown';
    return [
      `NTP service enabled: ${value('NTP')}; clock synchronised: ${value('NTPSynchronized')}; time zone: ${value('Timezone')}.`,
    ];
  },
};

/** What systemd, the kernel and iproute2 tell. */
export const systemTopics: readonly Topic[] = [logs, kernel, network, time];

/** Who wrote the lines of a journal, most of them first: `sshd 4`. */
function writersOf(journal: string): string[] {
  const counts = new Map<string, number>();
  for (const [, writer = ''] of journal.matchAll(/^\w{3} +\d+ [\d:]{8} \S+ ([^\s:[]+)/gm)) {
    counts.set(writer, (counts.get(writer) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, shownMax)
    .map(([writer, count]) => `${writer} ${count}`);
}
