import { readFile, writeFile } from 'node:fs/promises';
import { manifestJson } from '../src/bot/manifest.ts';
import { fleetFileJsonSchema } from '../src/fleet/fleet-file.ts';
import { envExample } from '../src/runtime/env-example.ts';

/**
 * Writes the files that are made from the code, relative to the current directory. With `--check` it writes
 * nothing and ends with 1 when one of them is not what the code would write now.
 */
const generated: readonly { path: string; content: string }[] = [
  { path: 'deploy/fleet.schema.json', content: `${JSON.stringify(fleetFileJsonSchema(), null, 2)}\n` },
  { path: 'deploy/slack-manifest.json', content: manifestJson() },
  { path: '.env.example', content: envExample() },
];

const checkOnly = process.argv.includes('--check');
for (const { path, content } of generated) {
  const current = await readFile(path, 'utf8').catch(() => undefined);
  if (current === content) continue;
  if (checkOnly) {
    process.stderr.write(`${path} is out of date: run "npm run generate".\n`);
    process.exitCode = 1;
  } else {
    await writeFile(path, content);
    process.stdout.write(`wrote ${path}\n`);
  }
}
