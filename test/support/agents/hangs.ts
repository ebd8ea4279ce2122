import { runAgent } from '../../../src/sandbox/agent/run-agent.ts';

/** An agent whose model never answers. */
await runAgent({ model: { name: 'hangs', next: () => new Promise(() => undefined) } });
