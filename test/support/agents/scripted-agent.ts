import type { Model } from '../../../src/sandbox/agent/model.ts';
import { runAgent } from '../../../src/sandbox/agent/run-agent.ts';
import { modeOf, scripts } from '../scripts.ts';

/** An agent that does what the `MODE:…` in its task says; see `scripts.ts`. */
const model: Model = {
  name: 'scripted',
  async next(task, observations, signal) {
    const script = scripts[modeOf(task)];
    const step = script(
      observations.map(({ output }) => output),
      task,
    );
    if (step === 'fail') throw new Error('the model said no');
    if (step === 'hang')
      return await new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
    return 'command' in step ? { kind: 'exec', command: step.command } : { kind: 'answer', text: step.text };
  },
};

await runAgent({ model });
