import { appendFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FleetFileError } from '../../src/fleet/errors.ts';
import { type FleetFile, openFleetFile } from '../../src/runtime/fleet-file.ts';
import { hostKey } from '../fleet/fixtures.ts';

const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
const machine = (name: string, more = ''): string =>
  `  - { name: ${name}, address: ${name}.test, hostKey: ${hostKey(name.length)}${more} }\n`;
const fileOf = (...machines: string[]): string => `version: 1\nmachines:\n${machines.join('')}`;

let directory: string;
let path: string;
let file: FleetFile | undefined;
/** What the log says. */
let lines: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetbot-fleet-'));
  path = join(directory, 'fleet.yaml');
  lines = [];
});

afterEach(async () => {
  await file?.close();
  file = undefined;
  await rm(directory, { recursive: true });
});

/** Opens the file. Polling is far slower than the test, unless the test is about polling. */
async function open(at: string, pollIntervalMs = 600_000): Promise<FleetFile> {
  file = await openFleetFile(at, { log, quietMs: 20, pollIntervalMs });
  return file;
}

const names = (): string[] => [...(file?.current().machines.keys() ?? [])];

test('a changed file is taken up, and it is told what changed', async () => {
  await writeFile(path, fileOf(machine('a'), machine('bb'), machine('ccc')));
  await open(path);
  await writeFile(
    path,
    `${fileOf(machine('a'), machine('bb', ', role: web'), machine('dddd'))}access:\n  - { people: [U0ANN], machines: all, verbs: all }\n`,
  );
  await vi.waitFor(() => expect(names()).toEqual(['a', 'bb', 'dddd']));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    msg: 'a new fleet file is in force',
    ...{ added: ['dddd'], removed: ['ccc'], changed: ['bb'], accessChanged: true },
  });
});

test('who wants to know is told of each content that comes into force, and of no other', async () => {
  await writeFile(path, fileOf(machine('a')));
  const told: string[][] = [];
  (await open(path)).beforeChange(async ({ machines }) => void told.push([...machines.keys()]));
  await writeFile(path, 'nonsense');
  await vi.waitFor(() => expect(file?.invalid()).toBeDefined());
  await writeFile(path, fileOf(machine('bb')));
  await vi.waitFor(() => expect(told).toEqual([['bb']]));
});

test('a file that is renamed into place is seen', async () => {
  await writeFile(path, fileOf(machine('a')));
  await open(path);
  await writeFile(`${path}.new`, fileOf(machine('bb')));
  await rename(`${path}.new`, path);
  await vi.waitFor(() => expect(names()).toEqual(['bb']));
});

test("a ConfigMap's swap of its ..data link is seen", async () => {
  const put = async (version: string, content: string): Promise<void> => {
    await mkdir(join(directory, version));
    await writeFile(join(directory, version, 'fleet.yaml'), content);
    await symlink(version, join(directory, '..data_tmp'));
    await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  };
  await put('..v1', fileOf(machine('a')));
  await symlink('..data/fleet.yaml', path);
  await open(path);
  await put('..v2', fileOf(machine('bb')));
  await vi.waitFor(() => expect(names()).toEqual(['bb']));
});

test('a change that causes no event is found by polling', async () => {
  // The link leads out of the watched directory, so nothing happens inside it.
  const elsewhere = await mkdtemp(join(tmpdir(), 'fleetbot-elsewhere-'));
  try {
    await writeFile(join(elsewhere, 'fleet.yaml'), fileOf(machine('a')));
    await symlink(join(elsewhere, 'fleet.yaml'), path);
    await open(path, 50);
    await writeFile(join(elsewhere, 'fleet.yaml'), fileOf(machine('bb'), machine('ccc')));
    await vi.waitFor(() => expect(names()).toEqual(['bb', 'ccc']));
  } finally {
    await rm(elsewhere, { recursive: true });
  }
});

test('an invalid file leaves the running one in force and says so, until it is mended', async () => {
  await writeFile(path, fileOf(machine('a')));
  await open(path);
  await writeFile(path, fileOf(machine('a', ', chanel: C0123')));
  await vi.waitFor(() => expect(file?.invalid()).toBeDefined());
  expect(file?.invalid()?.problems[0]).toMatchObject({ line: 3, cure: 'Did you mean "channel"?' });
  expect(names()).toEqual(['a']);
  expect(lines.join()).toContain('the old one stays');

  await writeFile(path, fileOf(machine('a')));
  await vi.waitFor(() => expect(file?.invalid()).toBeUndefined());
});

test('a changed file is taken up while others in its directory change all the time', async () => {
  await writeFile(path, fileOf(machine('a')));
  await open(path);
  let seen = false;
  const noise = async (): Promise<void> => {
    while (!seen) {
      await appendFile(join(directory, 'other.log'), 'a line\n');
      await sleep(5);
    }
  };
  const change = async (): Promise<void> => {
    await writeFile(path, fileOf(machine('bb')));
    await vi.waitFor(() => expect(names()).toEqual(['bb']));
  };
  // The noise has ended before the directory is removed.
  await Promise.all([noise(), change().finally(() => (seen = true))]);
});

test('a file that vanishes is reported once, and the running one stays in force', async () => {
  await writeFile(path, fileOf(machine('a')));
  await open(path, 30);
  await rm(path);
  await vi.waitFor(() => expect(file?.invalid()?.problems[0]?.problem).toContain('cannot be read'));
  expect(names()).toEqual(['a']);
  await writeFile(join(directory, 'other'), 'an event in the directory');
  await writeFile(path, fileOf(machine('bb')));
  await vi.waitFor(() => expect(names()).toEqual(['bb']));
  expect(lines.filter((line) => line.includes('cannot be used'))).toHaveLength(1);
});

test('a file that cannot be used at the start is an error at once', async () => {
  await expect(openFleetFile(path, { log })).rejects.toThrow(FleetFileError);
  await writeFile(path, 'version: 1\n');
  await expect(openFleetFile(path, { log })).rejects.toThrow(/machines: is missing/);
});

test('what can have no effect is told in the log, at the start and with each change', async () => {
  const unapproved = (name: string) =>
    `${fileOf(machine(name, ', actions: [it]'))}actions: { it: { summary: s, argv: [a], risk: reversible, verify: disk, noUndo: n } }\n`;
  const warnings = () => lines.filter((line) => line.includes('nobody could ever approve'));
  await writeFile(path, unapproved('a'));
  await open(path);
  expect(warnings()).toEqual([expect.stringContaining(' on a: ')]);
  await writeFile(path, unapproved('bb'));
  await vi.waitFor(() =>
    expect(warnings()).toEqual([expect.anything(), expect.stringContaining(' on bb: ')]),
  );
});
