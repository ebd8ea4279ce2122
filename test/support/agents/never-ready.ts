import { runAgent } from '../../../src/sandbox/agent/run-agent.ts';

/** An agent whose gateway listens and never becomes ready. */
await runAgent({
  model: {
    name: 'never-ready',
    warmUp: () => new Promise(() => undefined),
    next: async () => ({ kind: 'answer', text: 'never asked' }),
  },
});
