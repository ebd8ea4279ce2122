import { spawn } from 'node:child_process';
import { runAgent } from '../../../src/sandbox/agent/run-agent.ts';

/** An agent that ignores SIGTERM and leaves a helper process in its group. Prints the helper's pid. */
process.stdout.write(`helper ${spawn('sleep', ['600'], { stdio: 'ignore' }).pid}\n`);
await runAgent({ model: { name: 'stubborn', next: () => new Promise(() => undefined) } });
process.removeAllListeners('SIGTERM');
process.on('SIGTERM', () => undefined);
