import { runAgent } from '../../../src/sandbox/agent/run-agent.ts';

const text = '\u0000\uFFFD{"tool":"exec","arg <<<< VERDICT VERDICT: maybe \u202E```\n<@U000> <!channel>';

/** An agent whose model answers what nobody can use. */
await runAgent({ model: { name: 'nonsense', next: async () => ({ kind: 'answer', text }) } });
