import { describe, expect, test } from 'vitest';
import type { CommandOutput } from '../../../src/fleet/evidence.ts';
import { verdictOf } from '../../../src/fleet/finding.ts';
import { machineWith } from '../fixtures.ts';
import { brief, check, judge } from './judge.ts';

/** `ip -s -j link show` of iproute2 6.1, shortened to one Ethernet link beside the loopback. */
const links = (changes: { operstate?: string; flags?: string; errors?: number; packets?: number } = {}) => {
  const { operstate = 'UP', flags = '"UP","LOWER_UP"', errors = 0, packets = 158_735 } = changes;
  return `[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"qdisc":"noqueue","operstate":"UNKNOWN","linkmode":"DEFAULT","group":"default","txqlen":1000,"link_type":"loopback","address":"00:00:00:00:00:00","broadcast":"00:00:00:00:00:00","stats64":{"rx":{"bytes":5796,"packets":36,"errors":0,"dropped":0,"over_errors":0,"multicast":0},"tx":{"bytes":5796,"packets":36,"errors":0,"dropped":0,"carrier_errors":0,"collisions":0}}},{"ifindex":4,"ifname":"eth0","flags":["BROADCAST","MULTICAST",${flags}],"mtu":1400,"qdisc":"pfifo_fast","operstate":"${operstate}","linkmode":"DEFAULT","group":"default","txqlen":1000,"link_type":"ether","address":"02:fc:00:00:00:01","broadcast":"ff:ff:ff:ff:ff:ff","stats64":{"rx":{"bytes":5474302028,"packets":${packets},"errors":${errors},"dropped":99999,"over_errors":0,"multicast":0},"tx":{"bytes":14422987,"packets":0,"errors":0,"dropped":0,"carrier_errors":0,"collisions":0}}}]\n`;
};
const route4 = '[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]}]\n';
const route6 =
  '[{"dst":"default","gateway":"fd00::1","dev":"eth0","metric":1024,"flags":[],"pref":"medium"}]\n';
const deadRoute = '[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":["dead","linkdown"]}]\n';
const noWayOut = '[{"type":"unreachable","dst":"default","dev":"lo","metric":4294967295,"flags":[]}]\n';
const noRoute = '[ ]\n';

const bare = machineWith();
const withExpect = (network: string) => machineWith(`    expect: { network: { ${network} } }`);

describe('network', () => {
  test('a machine with a link and a default route is ok without being told anything', () => {
    expect(judge(bare, 'network', links(), route4, noRoute)).toMatchObject([
      { severity: 'ok', subject: 'links', text: 'links count no errors to speak of (eth0)' },
      { severity: 'ok', subject: 'default route', text: 'there is a default route (IPv4)' },
    ]);
    expect(judge(bare, 'network', links(), route4, route6)[1]?.text).toContain('(IPv4, IPv6)');
  });

  test.each([
    [noRoute, noRoute, 'warning'],
    [deadRoute, noRoute, 'warning'],
    [deadRoute, route6, 'ok'],
    [noRoute, noWayOut, 'warning'],
    [{ exitCode: 1, stderr: 'Cannot open netlink socket\n' }, noRoute, 'inconclusive'],
    ['hello', noRoute, 'inconclusive'],
    ['hello', route6, 'ok'],
  ])('default routes %j and %j are %s', (first, second, severity) => {
    expect(judge(bare, 'network', links(), first, second)[1]).toMatchObject({
      severity,
      subject: 'default route',
    });
  });

  test('a machine that needs no default route is not asked for one', () => {
    const isolated = withExpect('defaultRoute: false');
    expect(check(isolated, 'network').commands(isolated)).toHaveLength(1);
    expect(brief(judge(isolated, 'network', links()))).toEqual([['ok', 'links']]);
  });

  test.each([
    [links(), 'ok', 'eth0 is up (must be up)'],
    [links({ operstate: 'UNKNOWN' }), 'ok', 'eth0 is up'],
    [links({ operstate: 'DOWN', flags: '"NO-CARRIER","UP"' }), 'critical', 'eth0 is down (must be up)'],
    [links({ operstate: 'DOWN', flags: '"X"' }), 'critical', 'eth0 is down'],
    ['[]', 'critical', 'eth0 does not exist (must be up)'],
  ])('a listed interface is judged: %#', (text, severity, words) => {
    const machine = withExpect('interfaces: [eth0]');
    expect(judge(machine, 'network', text, route4, noRoute)[0]).toMatchObject({
      severity,
      subject: 'eth0',
      text: expect.stringContaining(words),
    });
  });

  test('errors are judged as a share of the packets, dropped packets not at all', () => {
    const judgeLinks = (errors: number, packets: number) =>
      judge(bare, 'network', links({ errors, packets }), route4, noRoute)[0];
    expect(judgeLinks(9_000, 100_000_000)).toMatchObject({ severity: 'ok' });
    expect(judgeLinks(99, 100)).toMatchObject({ severity: 'ok' });
    expect(judgeLinks(1_000, 99_000)).toMatchObject({
      severity: 'warning',
      subject: 'eth0',
      text: 'eth0 counts 1,000 errors, 1 % of its packets (warn at 0.1 %)',
    });
  });

  test.each<[string | Partial<CommandOutput>, string, string]>([
    [
      '203.0.113.80    STREAM mirror.example\n203.0.113.80    DGRAM  \n203.0.113.80    RAW    \n',
      'ok',
      'is known (203.0.113.80)',
    ],
    ['fd00::5         STREAM x\n10.0.0.5        STREAM \n', 'ok', 'is known (fd00::5, 10.0.0.5)'],
    [{ exitCode: 2 }, 'critical', 'is not known'],
    [{ exitCode: 124 }, 'critical', 'within 4 s'],
    [{ exitCode: 127 }, 'inconclusive', 'not installed'],
    [{ exitCode: null }, 'inconclusive', 'ended before it finished'],
    ['', 'inconclusive', 'no address'],
  ])('a listed name: %j is %s', (resolved, severity, words) => {
    const machine = withExpect('resolve: [db.example.com]');
    expect(judge(machine, 'network', links(), route4, noRoute, resolved)[2]).toMatchObject({
      severity,
      subject: 'db.example.com',
      text: expect.stringContaining(words),
      output: 3,
    });
  });

  test('listed ports are judged by `ss`', () => {
    const machine = withExpect('resolve: [a.example], listening: [22, 5432, 80]');
    const ss =
      'LISTEN 0      128      0.0.0.0:22   0.0.0.0:*   \nLISTEN 0      128         [::]:22      [::]:*   \nLISTEN 0      244    127.0.0.1:5432 0.0.0.0:*   \nLISTEN 0      511    127.0.0.1:8080 0.0.0.0:80\n';
    const known = '10.0.0.5        STREAM a.example\n';
    expect(judge(machine, 'network', links(), route4, noRoute, known, ss).slice(3)).toMatchObject([
      { severity: 'ok', text: 'port 22 is listened on (0.0.0.0, [::])', output: 4 },
      { severity: 'ok', text: 'port 5432 is listened on (127.0.0.1)' },
      { severity: 'critical', subject: 'port 80', text: 'nothing listens on port 80' },
    ]);
    const failed = judge(machine, 'network', links(), route4, noRoute, known, { exitCode: 127 });
    expect(verdictOf(failed)).toBe('inconclusive');
  });

  test('only the listed names leave the machine, and the agent is told to send nothing', () => {
    const machine = withExpect('interfaces: [eth0], resolve: [a.example], listening: [22]');
    const network = check(machine, 'network');
    expect(network.commands(machine).map(([program]) => program)).toEqual([
      'ip',
      'ip',
      'ip',
      'timeout',
      'ss',
    ]);
    expect(network.question(machine, [])).toContain('Send nothing to other machines');
  });

  test.each(['interfaces: [-a]', 'resolve: [--help]', 'resolve: ["a b"]', 'listening: [0]'])(
    '{ %s } is refused in the fleet file',
    (network) => {
      expect(() => withExpect(network)).toThrow('expect.network');
    },
  );
});
