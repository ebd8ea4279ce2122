import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FleetFileError, InputError, MachineError, toFailure } from '../../src/fleet/errors.ts';
import { explainError, explainFailure } from '../../src/fleet/explain-error.ts';

const internal = explainFailure({ code: 'internal', message: '' });

/** Every code that errors.ts names: as a member of a union, or handed to the base class. */
const source = readFileSync('src/fleet/errors.ts', 'utf8');
const codes = [...source.matchAll(/(?:\| |super\()'([a-z-]+)'/g)].flatMap(([, code]) => code ?? []);

/** Errors whose messages are written for the person who asked. */
const forPeople = [
  ...['input-invalid', 'not-allowed', 'locked'],
  ...['machine-unknown', 'check-unknown', 'policy-drift', 'inertness-unknown'],
];

test('the list of codes is found', () => {
  expect(codes).toEqual(expect.arrayContaining(['fleet-file-invalid', 'unreachable', 'agent-silent']));
  expect(codes.length).toBeGreaterThan(20);
});

test.each(codes)('%s is explained by a sentence of its own that says what to do', (code) => {
  const text = explainFailure({ code, message: 'ECONNREFUSED 10.0.0.7:22 at Socket.connect (net.js:1)' });
  expect(text).not.toBe(internal);
  if (!forPeople.includes(code)) expect(text).not.toMatch(/ECONN|net\.js/);
  expect(explainFailure({ code, message: '' })).toMatch(/\.$/);
});

test('what was written for the person is told as it is', () => {
  expect(explainError(new InputError('Type a machine first.'))).toBe('Type a machine first.');
  expect(explainError(new MachineError('locked', 'rhel-01 is locked: disk swap.'))).toBe(
    'rhel-01 is locked: disk swap.',
  );
});

test('a stack, a path or an unknown code never reaches a person', () => {
  for (const thrown of [new TypeError('x is undefined'), 'text', undefined, null]) {
    expect(explainError(thrown)).toBe(internal);
  }
  expect(explainFailure({ code: 'toString', message: 'x' })).toBe(internal);
  const file = new FleetFileError('/etc/fleet.yaml', [{ line: 1, path: 'a', problem: 'b', cure: 'c' }]);
  expect(explainFailure(toFailure(file))).not.toContain('/etc');
});
