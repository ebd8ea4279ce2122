import { describe, expect, it } from 'vitest';
import { type Alert, alertSchema } from '../../src/fleet/alert.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import { alertMatcher } from '../../src/fleet/match-alert.ts';
import { hostKey } from './fixtures.ts';

const machine = (name: string, number: number, address: string, more = '') =>
  `  - { name: ${name}, address: "${address}", hostKey: ${hostKey(number)}${more} }\n`;

function fleetWith(alerts: string): Fleet {
  return loadFleet(
    `version: 1\nmachines:\n${machine('web-01', 1, '10.0.0.1', ', role: web')}${machine('web-02', 2, 'web-02.example.com')}${machine('db.prod', 3, '2001:db8::3', ', checks: [disk]')}${machine('db', 4, '10.0.0.4')}alerts:\n${alerts}`,
    'fleet.yaml',
  );
}

const alert = (labels: Record<string, string>, more: Partial<Alert> = {}): Alert =>
  alertSchema.parse({
    ...{ fingerprint: 'f', source: 'generic', status: 'firing', name: 'DiskAlmostFull', text: '' },
    labels,
    ...more,
  });

const checkAll = fleetWith('  otherwise: disk\n');
const machinesOf = (labels: Record<string, string>, more: Partial<Alert> = {}) =>
  alertMatcher(checkAll)(alert(labels, more)).matches.map((match) => match.machine);

describe('the machine of an alert', () => {
  it.each([
    'web-01',
    'WEB-01',
    'web-01:9100',
    'web-01.example.com',
    'web-01.example.com:9100',
    'http://web-01:9100/metrics',
    'https://user@WEB-01.example.com/',
    '10.0.0.1',
    '10.0.0.1:9100',
    'web-01 [10.0.0.1]',
    'some-exporter, web-01',
  ])('is found in a label by %s', (instance) => {
    expect(machinesOf({ instance })).toEqual(['web-01']);
  });

  it.each([
    ['web-02.EXAMPLE.com:9100', 'web-02'],
    ['[2001:db8::3]:9100', 'db.prod'],
    ['2001:DB8::3', 'db.prod'],
    ['exporter 2001:db8::3', 'db.prod'],
    ['db.prod.example.com', 'db.prod'],
    ['db.test', 'db'],
  ])('%s is %s', (instance, machine) => {
    expect(machinesOf({ instance })).toEqual([machine]);
  });

  it.each(['web-0', 'web-011', 'my-web-01', '10.0.0.14', 'http://exporter/web-01', ''])(
    'is not found by %s',
    (instance) => {
      expect(machinesOf({ instance })).toEqual([undefined]);
    },
  );

  it('is what the first label says that names one; the text counts only where none does', () => {
    const labels = { instance: 'web-02:9100', host: 'web-01', node: 'unknown' };
    expect(machinesOf(labels, { text: 'db is slow' })).toEqual(['web-01']);
    expect(machinesOf({ Instance: 'web-02:9100' })).toEqual(['web-02']);
    expect(machinesOf({ instance: 'exporter:9100' }, { text: 'db is slow' })).toEqual(['db']);
  });

  it.each([
    ['disk of Web-01 is full', ['web-01']],
    ['see https://grafana.example/d/db?var=web-01', []],
    ['probe of https://web-02.example.com/login failed', ['web-02']],
    ['/srv/db is full, web-01-backup too', []],
    ['root@web-01: df', ['web-01']],
    ['10.0.0.4 does not answer.', ['db']],
    ['full: web-01, web-02 and again WEB-01.', ['web-01', 'web-02']],
    ['full: web-02, web-01…', ['web-02']],
    ['full: db.pro…', []],
  ])('in a text "%s" is every one that stands there as a word', (text, machines) => {
    expect(machinesOf({}, { text })).toEqual(machines.length === 0 ? [undefined] : machines);
  });

  it('is not told by an address that another machine has as well', () => {
    const twins = loadFleet(
      `version: 1\nmachines:\n${[1, 2, 3].map((n) => machine(`a-${n}`, n, '10.0.0.9', `, ssh: { port: ${n} }`)).join('')}`,
      'fleet.yaml',
    );
    const named = (instance: string) => alertMatcher(twins)(alert({ instance })).matches[0]?.machine;
    expect(named('10.0.0.9:9100')).toBeUndefined();
    expect(named('a-2')).toBe('a-2');
  });

  it('may stand in its name alone', () => {
    expect(machinesOf({}, { name: 'web-02 is down' })).toEqual(['web-02']);
  });

  it('told by one label alone keeps its alerts apart; told otherwise it does not', () => {
    const match = alertMatcher(checkAll);
    expect(match(alert({ host: 'web-01' })).byLabel).toBe(true);
    expect(match(alert({ host: 'web-01,web-02' })).byLabel).toBe(false);
    expect(match(alert({}, { text: 'web-01' })).byLabel).toBe(false);
  });

  it('that is not found is told with the labels that were looked for, and what to do', () => {
    const problem = (labels: Record<string, string>) => {
      const [match] = alertMatcher(checkAll)(alert(labels)).matches;
      return match !== undefined && 'problem' in match ? match.problem : '';
    };
    expect(problem({ instance: 'foo:9100' })).toBe(
      'Its labels name no machine of the fleet file (instance is "foo:9100"), and its text names no machine either. ' +
        "Give the alert such a label with the machine's name or address, or add the label that has it to alerts.machineLabels.",
    );
    expect(problem({})).toContain('none of the labels machine, host, hostname, nodename, node, instance');
    expect(problem({ host: 'x'.repeat(5_000) }).length).toBeLessThan(500);
    expect(problem({ host: '😀'.repeat(100) })).not.toContain('\\ud');
  });
});

describe('the check of an alert', () => {
  const fleet = fleetWith(`  rules:
    - { match: { alertname: Disk*, severity: warn* }, check: disk }
    - { text: "*out of memory*", machines: role=web, check: memory }
    - { match: { alertname: OldKernel }, machines: "db*", check: kernel }
`);
  const first = (labels: Record<string, string>, more: Partial<Alert> = {}) =>
    alertMatcher(fleet)(alert(labels, more)).matches[0];

  it('is that of the first rule whose globs all fit', () => {
    expect(first({ host: 'web-01', severity: 'Warning' })).toEqual({
      machine: 'web-01',
      check: 'disk',
      rule: 0,
    });
    expect(first({ host: 'web-01', severity: 'critical' })).toHaveProperty('problem');
    expect(first({ host: 'web-01', severity: 'warning' }, { name: 'OutOfDisk' })).toHaveProperty('problem');
  });

  it('may depend on the text, and on the machine', () => {
    const text = 'Out Of Memory: killed process 1';
    expect(first({ host: 'web-01' }, { text })).toEqual({ machine: 'web-01', check: 'memory', rule: 1 });
    expect(first({ host: 'web-01' }, { name: 'Out of memory' })).toHaveProperty('check', 'memory');
    expect(first({ host: 'web-02' }, { text })).toHaveProperty('problem');
  });

  it('that no rule names is told with the rule to write', () => {
    expect(first({ host: 'web-02' }, { name: 'Odd "name"' })).toEqual({
      machine: 'web-02',
      problem:
        'No rule of alerts.rules fits "Odd \\"name\\"" on web-02, and alerts.otherwise is not set. ' +
        'Add a rule: { match: { alertname: "Odd \\"name\\"" }, check: NAME }.',
    });
  });

  it('that the machine does not have is told, also where a later rule would fit', () => {
    expect(first({ host: 'db.prod' }, { name: 'OldKernel' })).toEqual({
      machine: 'db.prod',
      problem:
        "db.prod has no check kernel, which rule 3 of alerts.rules names. Add it to the machine's checks, or change the rules.",
    });
    const others = fleetWith('  otherwise: load\n');
    expect(alertMatcher(others)(alert({ host: 'db.prod' })).matches[0]).toMatchObject({
      problem: expect.stringContaining('which alerts.otherwise names'),
    });
  });
});
