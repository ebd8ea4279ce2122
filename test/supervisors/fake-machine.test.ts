import { machineGateSuite } from '../conformance/machine-gate.ts';
import { FakeMachine } from '../support/fake-machine.ts';

machineGateSuite('the fake in memory', async () => ({ gate: new FakeMachine(), close: async () => {} }));
