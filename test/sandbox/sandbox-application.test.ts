import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { checkOf } from '../../src/fleet/checks/index.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import { renderAction } from '../../src/fleet/render-action.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { newSandboxApplication } from '../../src/sandbox/sandbox-application.ts';
import { sandboxFleetFile } from '../../src/sandbox/sandbox-fleet.ts';
import { output } from '../fleet/fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'fleetbot-application-'));
afterAll(() => rmSync(folder, { recursive: true }));

const application = newSandboxApplication(folder);
const fleet = loadFleet(
  sandboxFleetFile({ port: 22, hostKey: newKeyPair().publicKey }, application),
  'fleet.yaml',
);

function run([program = '', ...args]: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' });
}

/** What a check of the sandbox's machine finds on this computer. */
function found(name: string): string[] {
  const machine = fleet.machines.get('sandbox-01');
  const check = machine && checkOf(machine, name);
  if (machine === undefined || check === undefined) throw new Error(`no check ${name}`);
  const outputs = check.commands(machine).map((argv) => output(argv, { stdout: run(argv) }));
  return check.judge(machine, outputs, { clockSkewMs: 0, now: 0 }).map(({ severity }) => severity);
}

function act(name: string): void {
  const action = fleet.actions.get(name);
  const rendered = action && renderAction(action, {});
  if (rendered === undefined || 'problem' in rendered) throw new Error(`no action ${name}`);
  run(rendered.argv);
}

it('the log is found too large, and well once it was trimmed', () => {
  expect(found('app-log')).toEqual(['critical']);
  act('trim-log');
  expect(found('app-log')).toEqual(['ok']);
  expect(statSync(application.logFile).size).toBe(0);
});

it('reports are well until they are switched off, and as before once that is undone', () => {
  const before = readFileSync(application.configFile, 'utf8');
  expect(found('app-reports')).toEqual(['ok']);
  act('reports-off');
  expect(found('app-reports')).toEqual(['critical']);
  act('reports-on');
  expect(readFileSync(application.configFile, 'utf8')).toBe(before);
});
