import { writeSync } from 'node:fs';
import pino from 'pino';
import { z } from 'zod';
import { actionRuleSchema } from '../../src/sandbox/machine/admit-capsule.ts';
import { readSigners } from '../../src/sandbox/machine/read-signers.ts';
import { startMachine } from '../../src/sandbox/machine/start-machine.ts';

/**
 * A machine in a process of its own, to be killed. Arguments: its options as JSON, with actions as its policy has them
 * and the file of those who may sign. Prints its port.
 */
const [, , options = '{}'] = process.argv;
const {
  stateDir,
  authorizedKey,
  agentCommand,
  actions = {},
  signersFile,
  actionRunner,
} = JSON.parse(options);
const rules = new Map(Object.entries(z.record(z.string(), actionRuleSchema).parse(actions)));
const machine = await startMachine({
  name: 'killed-01',
  host: '127.0.0.1',
  port: 0,
  authorizedKey,
  stateDir,
  agentCommand,
  policy: new Map(),
  actions: () => rules,
  ...(signersFile && { signers: () => readSigners(signersFile) }),
  ...(actionRunner && { actionRunner }),
  redact: (text) => text,
  log: pino({ level: 'silent' }),
});
writeSync(1, `${machine.port}\n`);
