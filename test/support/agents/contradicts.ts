import { runAgent } from '../../../src/sandbox/agent/run-agent.ts';

const text = 'Every disk is completely full: / is 100 % used.\nVERDICT: critical';

/** An agent whose model claims the worst without having looked. */
await runAgent({ model: { name: 'contradicts', next: async () => ({ kind: 'answer', text }) } });
