import { expect, test } from 'vitest';
import { allSchedules } from '../../src/fleet/all-schedules.ts';
import { FleetFileError } from '../../src/fleet/errors.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import type { Schedule } from '../../src/fleet/schedule.ts';
import { hostKey } from './fixtures.ts';

const good = 'name: nightly, machines: all, check: disk, cron: "0 3 * * *", channel: C01';

/** Schedules, one in each line from line 4 on. */
const fleet = (...rows: readonly string[]) =>
  loadFleet(
    `version: 1\nmachines: [{ name: rhel-01, address: a.test, hostKey: ${hostKey(1)} }]\nschedules:\n${rows.map((row) => `  - { ${row} }\n`).join('')}`,
    'fleet.yaml',
  );

function problemsOf(...rows: readonly string[]): readonly string[] {
  try {
    fleet(...rows);
  } catch (error) {
    if (error instanceof FleetFileError) return error.message.split('\n');
    throw error;
  }
  return [];
}

test.each([
  [
    'a time that cannot be read',
    good.replace('0 3', '60 3'),
    'fleet.yaml:4: schedules[0].cron: "60 3 * * *" has "60" as its minute, which is "*" or 0 to 59, a list (1,2) or a range (1-5). Write for example "0 3 * * *"',
  ],
  [
    'a time zone that there is not',
    `${good}, timeZone: Europe/Berln`,
    'fleet.yaml:4: schedules[0].timeZone: there is no time zone "Europe/Berln". Did you mean "Europe/Berlin"?',
  ],
  [
    'the name of a city alone',
    `${good}, timeZone: new york`,
    'there is no time zone "new york". Did you mean "America/New_York"?',
  ],
  [
    'a check that there is not',
    good.replace('disk', 'disc'),
    'schedules[0].check: there is no check "disc". Did you mean "disk"?',
  ],
  [
    'a selector that names nothing',
    good.replace('all', 'rhel-02'),
    'schedules[0].machines: names the machine "rhel-02", which is not in this file',
  ],
  [
    'a selector that cannot be read',
    good.replace('all', '"a b"'),
    'schedules[0].machines: "a b" is not a selector',
  ],
  ['no task', good.replace('check: disk, ', ''), 'schedules[0]: has not exactly one of check and ask'],
  ['two tasks', `${good}, ask: why`, 'schedules[0]: has not exactly one of check and ask'],
])('%s is told with its line and its cure', (_what, row, expected) => {
  const problems = problemsOf(row);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(expected);
});

test('a name that stands twice is told where it stands again', () => {
  expect(problemsOf(good, good)).toEqual([
    'fleet.yaml:5: schedules[1].name: "nightly" stands on line 4 already. Give each schedule a name of its own',
  ]);
});

test("a schedule of the fleet file is in UTC where it says nothing, and its name is the file's", () => {
  const { schedules } = fleet(good);
  const ofTheFile: Schedule = {
    ...{ name: 'nightly', machines: 'all', task: { kind: 'check', check: 'disk' }, channel: 'C01' },
    ...{ cron: '0 3 * * *', timeZone: 'UTC', jitterSeconds: 0 },
  };
  const mine: Schedule = { ...ofTheFile, name: 'mine' };
  const setUp = [{ ...ofTheFile, task: { kind: 'ask', question: 'why?' } } as const, mine];
  expect(allSchedules(schedules, setUp)).toEqual([ofTheFile, mine]);
});
