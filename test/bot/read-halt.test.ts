import { expect, it } from 'vitest';
import { readHalt } from '../../src/bot/read-halt.ts';
import { fleetOf, machine } from './bot-under-test.ts';

const fleet = fleetOf(
  [
    machine('sandbox-01', { labels: { site: 'here' } }),
    machine('web-01'),
    machine('db-01', { role: 'database' }),
  ],
  [],
);

it.each(['fire', 'there is a fire', 'he is mad', 'we are doomed', 'disks on fire', 'because of web-01'])(
  '"%s" is a reason: everything is halted',
  (text) => {
    expect(readHalt(text, fleet)).toEqual({ selector: 'all', reason: text });
  },
);

it.each([
  ['web is down', 'role=web'],
  ['here is a fire', 'site=here'],
  ['databaes burns', 'role=database'],
  ['sandbox-1 burns', 'sandbox-01'],
])('"%s" may have meant less than everything: %s', (text, selector) => {
  expect(readHalt(text, fleet)).toMatchObject({ meant: { selector } });
});

it('what looks like a selector and matches nothing halts nothing', () => {
  expect(readHalt('app-* burns', fleet)).toEqual({ unmatched: 'app-*' });
});
