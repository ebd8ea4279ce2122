import { describe, expect, it } from 'vitest';
import { FleetFileError } from '../../src/fleet/errors.ts';
import { loadFleet, readFleet } from '../../src/fleet/load-fleet.ts';
import { hostKey } from './fixtures.ts';

const good =
  'name: patch-night, machines: rhel-01, cron: "0 2 * * SUN", minutes: 120, reason: patches, channel: C0OPS';

const withWindows = (...rows: readonly string[]): string =>
  `version: 1\nmachines: [{ name: rhel-01, address: a.test, hostKey: ${hostKey(1)} }]\nmaintenance:\n${rows.map((row) => `  - { ${row} }\n`).join('')}`;

describe('a maintenance window of the fleet file', () => {
  it.each([
    [
      'a time that is none',
      good.replace('0 2 *', '0 25 *'),
      'fleet.yaml:4: maintenance[0].cron: "0 25 * * SUN" has "25"',
    ],
    [
      'a zone that is none',
      `${good}, timeZone: Europe/Berln`,
      'maintenance[0].timeZone: there is no time zone "Europe/Berln". Did you mean "Europe/Berlin"?',
    ],
    [
      'a zone that is like none',
      `${good}, timeZone: Mars/Base`,
      'there is no time zone "Mars/Base". Write the name of one, such as Europe/Berlin or UTC',
    ],
    [
      'a machine that is not there',
      good.replace('rhel-01', 'rhel-02'),
      'maintenance[0].machines: names the machine "rhel-02"',
    ],
    [
      'a selector that is none',
      good.replace('rhel-01', 'a b'),
      'maintenance[0].machines: "a b" is not a selector',
    ],
    ['no reason', good.replace('reason: patches, ', ''), 'maintenance[0].reason'],
  ])('cannot have %s', (_what, row, problem) => {
    expect(() => loadFleet(withWindows(row), 'fleet.yaml')).toThrow(FleetFileError);
    expect(() => loadFleet(withWindows(row), 'fleet.yaml')).toThrow(problem);
  });

  it('has a name of its own', () => {
    const problem = 'fleet.yaml:5: maintenance[1].name: "patch-night" stands on line 4 already';
    expect(() => loadFleet(withWindows(good, good), 'fleet.yaml')).toThrow(problem);
  });

  it('is doubted where it begins again before it is over, and where nobody would hear of its end', () => {
    const warnings = (row: string) =>
      readFleet(withWindows(row), 'fleet.yaml').warnings.map(({ path, problem }) => `${path}: ${problem}`);
    expect(warnings(good)).toEqual([]);
    expect(warnings(good.replace('0 2 * * SUN', '*/30 * * * *'))).toEqual([
      'maintenance[0].minutes: it begins again after 30 minutes, before it is over',
    ]);
    expect(warnings(good.replace('0 2 * * SUN', '0 */2 * * *'))).toHaveLength(1);
    expect(warnings(good.replace('0 2 * * SUN', '0 */3 * * *'))).toEqual([]);
    expect(warnings(good.replace(', channel: C0OPS', ''))).toEqual([
      'maintenance[0]: what it held back is told nowhere: neither it nor its machines have a channel',
    ]);
  });
});
