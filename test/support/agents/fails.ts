import { runAgent } from '../../../src/sandbox/agent/run-agent.ts';

const next = async () => {
  throw new Error('LLM request failed: provider rejected the request schema or tool payload.');
};

/** An agent whose model server refuses. */
await runAgent({ model: { name: 'fails', next } });
