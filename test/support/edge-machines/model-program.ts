import { allowedCommand } from '../scripts.ts';
import { startStubModel } from '../stub-model.ts';

/**
 * The model server of an edge machine, where its agent expects one: a process of this computer in the machine's
 * network. Where a task names no
 * script, it has the machine's own words run. Prints a line when it listens.
 */
const model = await startStubModel({
  port: 8888,
  allowed: `on-host ${allowedCommand}`,
  otherwise: 'tool',
});
process.stdout.write(`${model.url}\n`);
