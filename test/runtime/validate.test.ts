import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { hostKey } from '../fleet/fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'fleetbot-validate-'));
afterAll(() => rmSync(folder, { recursive: true }));

function validate(file: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/main.ts', 'validate', file], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('`fleetbot validate` says of a valid file what is in it', () => {
  expect(validate('deploy/fleet.example.yaml')).toEqual({
    status: 0,
    stdout: 'deploy/fleet.example.yaml: 2 machines, 3 access rules: valid\n',
    stderr: '',
  });
});

test('`fleetbot validate` ends with 1 and names file, line, path and cure of every mistake', () => {
  const file = join(folder, 'fleet.yaml');
  writeFileSync(file, 'version: 2\nmachines: []\nacess: []\n');
  const { status, stderr } = validate(file);
  expect(status).toBe(1);
  expect(stderr).toContain(`${file}:1: version: `);
  expect(stderr).toContain(`${file}:2: machines: `);
  expect(stderr).toContain(`${file}:3: acess: "acess" is not known here. Did you mean "access"?`);
});

test('`fleetbot validate` says so when there is no such file', () => {
  const file = join(folder, 'none.yaml');
  const { status, stderr } = validate(file);
  expect(status).toBe(1);
  expect(stderr).toContain(`${file}:1: (file): cannot be read`);
});

test('`fleetbot validate` warns of what nobody could approve, and ends with 0', () => {
  const file = join(folder, 'unapproved.yaml');
  const action = '{ summary: s, argv: [a], risk: reversible, verify: disk, noUndo: n }';
  const machine = `{ name: a, address: a.test, hostKey: ${hostKey(1)}, actions: [it] }`;
  writeFileSync(file, `version: 1\nmachines:\n  - ${machine}\nactions: { it: ${action} }\n`);
  const { status, stdout } = validate(file);
  expect(status).toBe(0);
  expect(stdout).toContain(`warning: ${file}:3: machines[0].actions[0]: nobody could ever approve "it"`);
  expect(stdout).toContain(`${file}: 1 machine, 0 access rules: valid`);
});
