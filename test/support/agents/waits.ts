import { runAgent } from '../../../src/sandbox/agent/run-agent.ts';
import { fileThere } from '../wait-for-file.ts';

const [, , phase, file = ''] = process.argv;
const untilReleased = async (here: string) => {
  if (phase === here) await fileThere(file);
};

/** An agent that waits for a file before it is `ready`, answers its `task`, or obeys a `stop`. Arguments: which, file. */
await runAgent({
  model: {
    name: 'waits',
    warmUp: () => untilReleased('ready'),
    async next() {
      await untilReleased('task');
      return { kind: 'answer', text: 'I waited and found nothing.\nVERDICT: ok' };
    },
  },
});
process.removeAllListeners('SIGTERM');
process.once('SIGTERM', async () => {
  await untilReleased('stop');
  process.exit(0);
});
