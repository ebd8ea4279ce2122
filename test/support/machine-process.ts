import { writeSync } from 'node:fs';
import pino from 'pino';
import { startMachine } from '../../src/sandbox/machine/start-machine.ts';

/** A machine in a process of its own, to be killed. Arguments: its options as JSON. Prints its port. */
const [, , options = '{}'] = process.argv;
const { stateDir, authorizedKey, agentCommand } = JSON.parse(options);
const machine = await startMachine({
  name: 'killed-01',
  host: '127.0.0.1',
  port: 0,
  authorizedKey,
  stateDir,
  agentCommand,
  policy: new Map(),
  redact: (text) => text,
  log: pino({ level: 'silent' }),
});
writeSync(1, `${machine.port}\n`);
