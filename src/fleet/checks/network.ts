import type { Check } from '../check.ts';
import type { CommandOutput } from '../evidence.ts';
import type { Finding } from '../finding.ts';
import { formatCount, formatNumber } from '../format.ts';
import type { Expect } from '../machine.ts';
import { composeQuestion, subjectsOf } from './compose-question.ts';
import { isUp, type Link, parseLinks, parseRoutes } from './parse-ip.ts';
import { inconclusive, readOutput } from './read-output.ts';

type NetworkExpect = Expect['network'];

/** Fewer errors than this, of a link's whole life, say nothing about it. */
const minErrors = 100;

/** How long one name may take; a dead server would else use up the time of the whole evidence. */
const resolveSeconds = '4';
/** timeout(1): the command took too long. */
const timedOut = 124;
/** getent(1): the name is not known, or nobody answers who could know it. */
const notFound = 2;

/** A part of the check: its commands, and what their outputs, the first of them at `first`, mean. */
interface Probe {
  readonly commands: readonly (readonly string[])[];
  judge(outputs: readonly CommandOutput[], first: number): Finding[];
}

/**
 * Links, the default route, and what the fleet file lists: interfaces that must be up, names that must be
 * known, TCP ports that must be listened on. Looking up those names is all that leaves the machine.
 */
export const network: Check = {
  name: 'network',
  summary: 'links, default route, expected names and ports',
  commands: (machine) => probes(machine.expect.network).flatMap(({ commands }) => commands),
  judge: (machine, outputs) => {
    let first = 0;
    return probes(machine.expect.network).flatMap(({ commands, judge }) => {
      const findings = judge(outputs, first);
      first += commands.length;
      return findings;
    });
  },
  question: (machine, findings) =>
    composeQuestion(
      machine,
      findings,
      'network',
      (bad) =>
        `Find out what is wrong with ${subjectsOf(bad)}: the state and counters of the links, addresses and routes, which service should listen and why it does not, which name servers are set and what the logs say about them. Say what would help, and how sure you are. Send nothing to other machines. Change nothing.`,
      'All is as it should be. Look whether a link counts errors or the logs tell of lost links or name servers. Send nothing to other machines. Change nothing.',
    ),
};

function probes(expect: NetworkExpect): readonly Probe[] {
  return [
    links(expect),
    ...(expect.defaultRoute ? [defaultRoute] : []),
    ...expect.resolve.map(resolving),
    ...(expect.listening.length > 0 ? [listening(expect.listening)] : []),
  ];
}

function links(expect: NetworkExpect): Probe {
  return {
    commands: [['ip', '-s', '-j', 'link', 'show']],
    judge: (outputs, first) => {
      const { text = '', problem } = readOutput(outputs, first);
      const found = parseLinks(text);
      if (found === undefined || problem !== undefined) {
        return [inconclusive('links', problem ?? 'ip did not print its JSON', first)];
      }
      return [
        ...expect.interfaces.map((name) => judgeInterface(name, found, first)),
        ...judgeErrors(expect, found, first),
      ];
    },
  };
}

function judgeInterface(name: string, found: readonly Link[], output: number): Finding {
  const link = found.find(({ ifname }) => ifname === name);
  const up = link !== undefined && isUp(link);
  const state = link === undefined ? 'does not exist' : `is ${up ? 'up' : link.operstate.toLowerCase()}`;
  return {
    severity: up ? 'ok' : 'critical',
    subject: name,
    text: `${name} ${state} (must be up)`,
    output,
    measure: { value: up ? 1 : 0, unit: 'active' },
  };
}

/** Counters run since the link came to be, so they are judged as a share of its packets. */
function judgeErrors(
  { warnErrorsPercent }: NetworkExpect,
  found: readonly Link[],
  output: number,
): Finding[] {
  const judged = found.filter(({ flags }) => !flags.includes('LOOPBACK'));
  const bad = judged.flatMap(({ ifname, stats64: { rx, tx } }): Finding[] => {
    const errors = rx.errors + tx.errors;
    const percent = (errors / Math.max(1, rx.packets + tx.packets + errors)) * 100;
    if (errors < minErrors || percent < warnErrorsPercent) return [];
    return [
      {
        severity: 'warning',
        subject: ifname,
        text: `${ifname} counts ${formatCount(errors)} errors, ${formatNumber(percent)} % of its packets (warn at ${formatNumber(warnErrorsPercent)} %)`,
        output,
        measure: { value: percent, unit: '% errors' },
      },
    ];
  });
  if (bad.length > 0) return bad;
  const names = judged.map(({ ifname }) => ifname).slice(0, 10);
  const text = `links count no errors to speak of (${names.join(', ') || 'only the loopback'})`;
  return [{ severity: 'ok', subject: 'links', text, output }];
}

/** Of IPv4 or IPv6; one that leads nowhere or over a dead link counts for nothing. */
const defaultRoute: Probe = {
  commands: [
    ['ip', '-j', 'route', 'show', 'default'],
    ['ip', '-j', '-6', 'route', 'show', 'default'],
  ],
  judge: (outputs, first) => {
    const subject = 'default route';
    const read = [first, first + 1].map((index) => ({ index, ...readOutput(outputs, index) }));
    const routes = read.map(({ text = '' }) => parseRoutes(text));
    const usable = routes.map((of = []) =>
      of.some(
        ({ type, flags }) => type === 'unicast' && !flags.includes('linkdown') && !flags.includes('dead'),
      ),
    );
    const output = first + Math.max(0, usable.indexOf(true));
    if (usable.includes(true)) {
      const families = ['IPv4', 'IPv6'].filter((_, index) => usable[index]);
      return [{ severity: 'ok', subject, text: `there is a default route (${families.join(', ')})`, output }];
    }
    const unread = read.find(({ problem }, index) => problem !== undefined || routes[index] === undefined);
    if (unread) {
      return [inconclusive(subject, unread.problem ?? 'ip did not print its JSON', unread.index)];
    }
    const text = 'there is no default route (where that is right, set expect.network.defaultRoute to false)';
    return [{ severity: 'warning', subject, text, output }];
  },
};

function resolving(name: string): Probe {
  return {
    commands: [['timeout', resolveSeconds, 'getent', 'ahosts', name]],
    judge: (outputs, output) => {
      const { text = '', problem } = readOutput(outputs, output, [0, notFound, timedOut]);
      if (problem !== undefined) return [inconclusive(name, problem, output)];
      const exitCode = outputs[output]?.exitCode;
      const critical = (words: string): Finding[] => [
        { severity: 'critical', subject: name, text: `${name} ${words}`, output },
      ];
      if (exitCode === notFound) return critical('is not known, or no name server answers');
      if (exitCode === timedOut) return critical(`was not answered for within ${resolveSeconds} s`);
      const addresses = new Set(text.match(/^[0-9a-f.:]+(?=\s)/gim));
      if (addresses.size === 0) return [inconclusive(name, 'getent printed no address', output)];
      const shown = [...addresses].slice(0, 3).join(', ');
      return [{ severity: 'ok', subject: name, text: `${name} is known (${shown})`, output }];
    },
  };
}

function listening(ports: readonly number[]): Probe {
  return {
    commands: [['ss', '-Hltn']],
    judge: (outputs, output) => {
      const { text = '', problem } = readOutput(outputs, output);
      if (problem !== undefined) return [inconclusive('ports', problem, output)];
      const sockets = [...text.matchAll(/^LISTEN\s+\d+\s+\d+\s+(\S+):(\d+)\s/gm)];
      return ports.map((port) => {
        const on = sockets.filter(([, , found]) => Number(found) === port).map(([, address]) => address);
        const subject = `port ${port}`;
        return {
          severity: on.length > 0 ? 'ok' : 'critical',
          subject,
          text:
            on.length > 0 ? `${subject} is listened on (${on.join(', ')})` : `nothing listens on ${subject}`,
          output,
          measure: { value: on.length > 0 ? 1 : 0, unit: 'active' },
        };
      });
    },
  };
}
