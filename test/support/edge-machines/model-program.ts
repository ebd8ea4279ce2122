import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { allowedCommand } from '../scripts.ts';
import { startStubModel } from '../stub-model.ts';
import { bookFile, cachedTokens, hangFile } from './model-folder.ts';

/**
 * The model server of an edge machine, where its agent expects one: a process of this computer in the machine's
 * network. Where a task names no
 * script, it has the machine's own words run. Its argument is its folder, of which `model-folder.ts` tells. Prints a
 * line when it listens.
 */
const [, , folder = ''] = process.argv;
const model = await startStubModel({
  port: 8888,
  allowed: `on-host ${allowedCommand}`,
  otherwise: 'tool',
  cachedTokens,
  onAnswer: (tokens) => appendFileSync(join(folder, bookFile), `${JSON.stringify(tokens)}\n`),
  hangs: () => existsSync(join(folder, hangFile)),
});
process.stdout.write(`${model.url}\n`);
