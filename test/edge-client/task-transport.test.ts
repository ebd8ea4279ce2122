import { transportNames } from '../../src/fleet/machine.ts';
import { taskTransportSuite } from '../conformance/task-transport.ts';
import { startGateMachine } from '../support/gate-machine.ts';

for (const transport of transportNames) {
  taskTransportSuite('the sandbox agent, over SSH', transport, async () => {
    const on = await startGateMachine();
    const { token } = await on.gate.start(1, 'r-00000000aaaa', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
    await on.gate.ready(1);
    return { open: (signal) => on.gate.connect(1, signal), token, close: on.close };
  });
}
