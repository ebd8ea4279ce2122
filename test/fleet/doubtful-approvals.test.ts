import { expect, test } from 'vitest';
import { readFleet } from '../../src/fleet/load-fleet.ts';
import { hostKey } from './fixtures.ts';

const warningsOf = (approvals: string) =>
  readFleet(
    `version: 1\nmachines: [{ name: a, address: a.test, hostKey: ${hostKey(1)} }]\napprovals: ${approvals}\n`,
    'fleet.yaml',
  ).warnings.map(({ line, path, problem }) => `${line}: ${path}: ${problem}`);

test('a reminder that would come before anybody is asked is warned of', () => {
  expect(warningsOf('{ expireMinutes: 10, remindMinutes: 10 }')).toEqual([
    '3: approvals.remindMinutes: nobody is reminded: the reminder is due 10 minutes before the end, and what is asked expires after 10',
  ]);
  expect(warningsOf('{ expireMinutes: 10, remindMinutes: 9 }')).toEqual([]);
});

test.each(['passOn', 'onCall'])('whoever stands twice in %s is warned of', (key) => {
  expect(warningsOf(`{ ${key}: [U01, S01, U01] }`)).toEqual([
    `3: approvals.${key}[2]: "U01" stands there twice, so it is asked again in place of somebody else`,
  ]);
  expect(warningsOf(`{ ${key}: [U01, S01] }`)).toEqual([]);
});
