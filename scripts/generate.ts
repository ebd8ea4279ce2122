import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { basename, dirname, join } from 'node:path';
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
  ...(await pluginAsJavaScript('edge/plugin/index.ts')),
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

/**
 * A plugin and all that it imports, in one folder, as JavaScript: OpenClaw would translate it from TypeScript at
 * every start, for more than a second, and takes the plugin's folder alone.
 */
async function pluginAsJavaScript(entry: string): Promise<{ path: string; content: string }[]> {
  const files: { path: string; content: string }[] = [];
  const sources = new Set([entry]);
  for (const source of sources) {
    const code = stripTypeScriptTypes(await readFile(new URL(`../${source}`, import.meta.url), 'utf8'));
    const content = code.replaceAll(/(?<=from ')(\.[^']+)(?=')/g, (target) => {
      sources.add(join(dirname(source), target));
      return `./${basename(target, '.ts')}.js`;
    });
    files.push({ path: join(dirname(entry), 'dist', `${basename(source, '.ts')}.js`), content });
  }
  return files;
}
