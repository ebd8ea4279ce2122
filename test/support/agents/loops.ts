import { runAgent } from '../../../src/sandbox/agent/run-agent.ts';

/** An agent whose model asks for the same command for ever. */
await runAgent({ model: { name: 'loops', next: async () => ({ kind: 'exec', command: 'nproc' }) } });
