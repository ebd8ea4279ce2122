import { runAgent } from '../../../src/sandbox/agent/run-agent.ts';

/** An agent whose model answers without a word. */
await runAgent({ model: { name: 'silent', next: async () => ({ kind: 'answer', text: '' }) } });
