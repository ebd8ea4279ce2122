import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { fleetFileJsonSchema } from '../../src/fleet/fleet-file.ts';

const run = promisify(execFile);

test('the schema in the repository is the one that the code would write', async () => {
  const content = await readFile('deploy/fleet.schema.json', 'utf8');
  expect(JSON.parse(content), 'run "npm run generate"').toEqual(
    JSON.parse(JSON.stringify(fleetFileJsonSchema())),
  );
});

test('the schema knows the keys of a machine and refuses others', () => {
  const item = z.object({
    properties: z.record(z.string(), z.unknown()),
    required: z.array(z.string()),
    additionalProperties: z.literal(false),
  });
  const schema = z
    .object({ properties: z.object({ machines: z.object({ items: item }) }) })
    .parse(fleetFileJsonSchema());
  const machine = schema.properties.machines.items;
  expect(machine.required).toEqual(['name', 'address', 'hostKey']);
  expect(Object.keys(machine.properties)).toContain('customChecks');
});

test('the example tells editors where its schema is', async () => {
  const example = await readFile('deploy/fleet.example.yaml', 'utf8');
  expect(example.split('\n')[0]).toBe('# yaml-language-server: $schema=fleet.schema.json');
});

test('`generate --check` ends with 1 when a file is missing or stale, and 0 after `generate`', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'fleetbot-generate-'));
  const generate = (...args: string[]) =>
    run(process.execPath, [resolve('scripts/generate.ts'), ...args], { cwd: directory });
  try {
    await mkdir(join(directory, 'deploy'));
    await expect(generate('--check')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('npm run generate'),
    });
    await generate();
    await generate('--check');
    await writeFile(join(directory, 'deploy/fleet.schema.json'), '{}\n');
    await expect(generate('--check')).rejects.toMatchObject({ code: 1 });
  } finally {
    await rm(directory, { recursive: true });
  }
});
