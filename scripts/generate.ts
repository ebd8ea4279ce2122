import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { manifestJson } from '../src/bot/manifest.ts';
import { fleetFileJsonSchema } from '../src/fleet/fleet-file.ts';
import { envExample } from '../src/runtime/env-example.ts';

/** What the agent's plugin needs to redact as the fleet does; its folder goes to machines without the rest. */
const redactFiles = [
  'redact.ts',
  'redact-rule.ts',
  'redact-private-keys.ts',
  'assignment-rules.ts',
  'place-rules.ts',
  'token-rules.ts',
  'looks-random.ts',
];

/**
 * Writes the files that are made from the code, relative to the current directory. With `--check` it writes
 * nothing and ends with 1 when one of them is not what the code would write now.
 */
const generated: readonly { path: string; content: string }[] = [
  { path: 'deploy/fleet.schema.json', content: `${JSON.stringify(fleetFileJsonSchema(), null, 2)}\n` },
  { path: 'deploy/slack-manifest.json', content: manifestJson() },
  { path: '.env.example', content: envExample() },
  ...(await Promise.all(redactFiles.map(copyForPlugin))),
];

const checkOnly = process.argv.includes('--check');
for (const { path, content } of generated) {
  const current = await readFile(path, 'utf8').catch(() => undefined);
  if (current === content) continue;
  if (checkOnly) {
    process.stderr.write(`${path} is out of date: run "npm run generate".\n`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    process.stdout.write(`wrote ${path}\n`);
  }
}

async function copyForPlugin(name: string): Promise<{ path: string; content: string }> {
  const source = `src/telemetry/${name}`;
  const content = await readFile(new URL(`../${source}`, import.meta.url), 'utf8');
  return {
    path: `edge/plugin/redact/${name}`,
    content: `// Made from ${source} by "npm run generate".\n${content}`,
  };
}
