import { runAgent } from '../../../src/sandbox/agent/run-agent.ts';

/** An agent whose process dies as soon as it gets a task. */
await runAgent({ model: { name: 'crashes', next: () => process.exit(13) } });
