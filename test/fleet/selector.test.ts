import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputError } from '../../src/fleet/errors.ts';
import { matchesGlob } from '../../src/fleet/glob.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import {
  parseSelector,
  selectMachines,
  typedMaxCharacters,
  unmatchedAlternatives,
} from '../../src/fleet/selector.ts';
import { suggest } from '../../src/fleet/suggest.ts';
import { cpuMsOf, hostKey, machineWith } from './fixtures.ts';

const fleet = loadFleet(
  `version: 1
machines:
  - { name: rhel-01, address: a, hostKey: ${hostKey(1)}, role: web, labels: { env: prod, site: berlin } }
  - { name: rhel-02, address: b, hostKey: ${hostKey(2)}, role: web, labels: { env: test } }
  - { name: db-01, address: c, hostKey: ${hostKey(3)}, role: database, labels: { env: prod } }
`,
  'fleet.yaml',
);

test.each([
  ['all', ['rhel-01', 'rhel-02', 'db-01']],
  ['rhel-01', ['rhel-01']],
  ['rhel-*', ['rhel-01', 'rhel-02']],
  ['*-0?', ['rhel-01', 'rhel-02', 'db-01']],
  ['role=web', ['rhel-01', 'rhel-02']],
  ['env=prod', ['rhel-01', 'db-01']],
  ['site=*', ['rhel-01']],
  ['!site=*', ['rhel-02', 'db-01']],
  ['role=web&env=prod', ['rhel-01']],
  [' role = web & ! env = prod , db-01 ', ['rhel-02', 'db-01']],
  ['db-*,role=web&env=test', ['rhel-02', 'db-01']],
  ['!all', []],
  ['RHEL-01', ['rhel-01']],
  ['Rhel-*&!RHEL-02', ['rhel-01']],
  ['ALL', ['rhel-01', 'rhel-02', 'db-01']],
  ['"rhel-01"', ['rhel-01']],
  ['“rhel-01, db-01”', ['rhel-01', 'db-01']],
  ["`role=web` & !'rhel-02'", ['rhel-01']],
  ['env="prod"', ['rhel-01', 'db-01']],
  ['role=web&!rhel-01,db-01', ['rhel-02', 'db-01']],
  ['none', []],
  ['toString=*', []],
])('%j selects %j', (selector, names) => {
  expect(selectMachines(fleet, selector).map((machine) => machine.name)).toEqual(names);
});

test.each(['', ' ', 'a,', 'a&&b', '!', 'a=', '=a', 'a=b=c', '!!a', 'a b', '""', '!"'])(
  '%j is no selector',
  (selector) => {
    expect(() => selectMachines(fleet, selector)).toThrow(InputError);
    expect(() => selectMachines(fleet, selector)).toThrow(/role=web/);
  },
);

test.each([
  ['all,!rhel-01', 'all&!rhel-01'],
  ['!rhel-01 , ALL', 'all&!rhel-01'],
  ['rhel-*,db-*,!rhel-01,!env=test', 'rhel-*&!rhel-01&!env=test,db-*&!rhel-01&!env=test'],
  ['!rhel-01,!db-01', '!rhel-01&!db-01'],
])('%j would exclude nothing, so it is refused and %j proposed', (selector, meant) => {
  expect(() => selectMachines(fleet, selector)).toThrow(InputError);
  expect(() => selectMachines(fleet, selector)).toThrow(`Did you mean \`${meant}\`?`);
  expect(() => selectMachines(fleet, meant)).not.toThrow();
});

test('the parts of a list that match no machine are told as they were typed, each once', () => {
  expect(unmatchedAlternatives(fleet, 'site=berlin, Foo,rhel-*,role=web&env=none,Foo')).toEqual([
    'Foo',
    'role=web&env=none',
  ]);
  expect(unmatchedAlternatives(fleet, 'all')).toEqual([]);
});

test('whatever is typed, a selector matches, does not match, or is an InputError', () => {
  const machine = machineWith();
  fc.assert(
    fc.property(fc.string(), (selector) => {
      try {
        parseSelector(selector)(machine);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }),
  );
});

test('a glob means what the regular expression made from it means', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
  const globs = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
  fc.assert(
    fc.property(letters, globs, (text, glob) => {
      const pattern = glob.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
      expect(matchesGlob(text, glob)).toBe(new RegExp(`^${pattern}$`).test(text));
    }),
    { numRuns: 1_000 },
  );
});

test('what a person types is refused where it is too long to be held against thousands of machines', () => {
  const term = `*${'a'.repeat(30)}b,`;
  const longest = term.repeat(typedMaxCharacters).slice(0, typedMaxCharacters);
  expect(selectMachines(fleet, longest)).toEqual([]);
  expect(() => selectMachines(fleet, `${longest}a`)).toThrow(/may have 500 characters; yours has 501/);
});

test('a hostile glob costs little', () => {
  const tookMs = cpuMsOf(() => expect(matchesGlob('a'.repeat(5_000), `${'*a'.repeat(200)}*b`)).toBe(false));
  expect(tookMs).toBeLessThan(1_000);
});

test.each([
  ['dsik', 'disk'],
  ['RHEL-01', 'rhel-01'],
  ['rhel01', 'rhel-01'],
  ['mem', 'memory'],
  ['d', 'disk'],
  ['elephant', undefined],
  ['', undefined],
])('for %j it suggests %j', (word, expected) => {
  expect(suggest(word, ['disk', 'memory', 'rhel-01'])).toBe(expected);
});

test('what begins with the word is suggested before what is as near by edits', () => {
  expect(suggest('FLEET', ['ROLE', 'FLEET_FILES', 'FLEET_FILE', 'FLEEB'])).toBe('FLEET_FILE');
});
