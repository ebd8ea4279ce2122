import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { statusReplySchema } from '../../../src/edge-client/gate-protocol.ts';
import type { KeyPair } from '../../../src/sandbox/key-pair.ts';
import { startSandboxMachine } from '../../../src/sandbox/sandbox-machine.ts';
import { GateClient } from '../../support/gate-client.ts';
import { isRunning } from '../../support/is-running.ts';
import { type Link, startLink } from '../../support/link.ts';

export interface MachineUnderTestOptions {
  readonly name: string;
  readonly folder: string;
  readonly fleetFile: string;
  readonly key: KeyPair;
  readonly agentCommand?: readonly string[];
  readonly runtimeMaxMs?: number;
}

/** A sandbox machine behind a link that can be cut, and what is really the case on it. */
export interface MachineUnderTest extends AsyncDisposable {
  readonly hostKey: string;
  readonly link: Link;
  agentPid(): number | undefined;
  renewPolicy(): void;
  /** The process of every agent that was ever started here. */
  agentPids(): number[];
  /** What its gate says to somebody who does not come over the link. */
  status(): Promise<z.infer<typeof statusReplySchema>>;
  /** Starts its agent behind everybody's back, under a fence higher than any that was seen. */
  startStray(runId: string): Promise<void>;
  /** Asserts that the gate says so and that no process of any agent is left. */
  expectInert(): Promise<void>;
}

const logLineSchema = z.object({ msg: z.string(), pid: z.int() });

export async function startMachineUnderTest(options: MachineUnderTestOptions): Promise<MachineUnderTest> {
  const { key, folder, ...rest } = options;
  const machine = await startSandboxMachine({ ...rest, folder, authorizedKey: key.publicKey });
  const link = await startLink(machine.port);

  const agentPids = () =>
    readFileSync(join(folder, 'machine.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => logLineSchema.parse(JSON.parse(line)))
      .filter(({ msg }) => msg === 'the agent was started')
      .map(({ pid }) => pid);
  const status = async () => {
    await using gate = await GateClient.connect(machine.port, key.privateKey);
    return statusReplySchema.parse(await gate.reply('status'));
  };
  const startStray = async (runId: string) => {
    const { fence } = await status();
    await using gate = await GateClient.connect(machine.port, key.privateKey);
    await gate.reply(`start ${fence + 1} ${runId} 00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`);
  };
  return {
    hostKey: machine.hostKey,
    link,
    agentPid: machine.agentPid,
    renewPolicy: machine.renewPolicy,
    agentPids,
    status,
    startStray,
    async expectInert() {
      // A unit whose process failed is as gone as one that ended well.
      expect(await status()).toMatchObject({
        agent: expect.stringMatching(/^(inactive|failed)$/),
        run: null,
      });
      expect(agentPids().filter(isRunning)).toEqual([]);
    },
    async [Symbol.asyncDispose]() {
      await link[Symbol.asyncDispose]();
      await machine.close();
    },
  };
}
