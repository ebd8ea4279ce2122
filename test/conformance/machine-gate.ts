import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentTask } from '../../src/fleet/agent-task.ts';
import type { MachineBrake, MachineGate } from '../../src/supervisors/ports.ts';

/** A machine that has never been asked anything, whose check is `disk` and whose agent answers any task. */
export interface GateUnderTest {
  readonly gate: MachineGate & MachineBrake;
  close(): Promise<void>;
}

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const runId = 'r-00000000aaaa';
const task: AgentTask = { runId, agentId: 'edge', message: 'MODE:text Is all well?', traceparent };

/** What every adapter of the ports MachineGate and MachineBrake promises. The steps build on one another. */
export function machineGateSuite(name: string, make: () => Promise<GateUnderTest>): void {
  describe(`the machine gate: ${name}`, () => {
    let under: GateUnderTest;
    let gate: MachineGate & MachineBrake;
    beforeAll(async () => {
      under = await make();
      gate = under.gate;
    });
    afterAll(async () => {
      await under.close();
    });

    it('tells of a machine that has seen nothing', async () => {
      const status = await gate.status();
      expect(status).toMatchObject({ agent: 'inactive', run: null, fence: 0, lock: null });
      expect(Math.abs(status.clockSkewMs)).toBeLessThan(1_000);
    });

    it('brings evidence with the time of the machine', async () => {
      const { collectedAt, outputs } = await gate.evidence(3, 'disk');
      expect(Math.abs(Date.parse(collectedAt) - Date.now())).toBeLessThan(5_000);
      expect(Array.isArray(outputs)).toBe(true);
    });

    it('remembers the highest fence and refuses a lower one in every verb', async () => {
      expect((await gate.status()).fence).toBe(3);
      await expect(gate.evidence(2, 'disk')).rejects.toMatchObject({ code: 'old-fence' });
      await expect(gate.start(2, runId, traceparent)).rejects.toMatchObject({ code: 'old-fence' });
      await expect(gate.stop(2)).rejects.toMatchObject({ code: 'old-fence' });
    });

    it('starts the agent, which then takes a task and answers', async () => {
      const { token } = await gate.start(4, runId, traceparent);
      expect(token.length).toBeGreaterThanOrEqual(16);
      expect(await gate.status()).toMatchObject({ agent: 'active', run: runId, fence: 4 });
      await gate.ready(4);
      const answer = await gate.task(4, token, task);
      expect(answer.text).not.toBe('');
    });

    it('refuses a second activation while one lasts', async () => {
      await expect(gate.start(5, 'r-00000000bbbb', traceparent)).rejects.toMatchObject({
        code: 'unit-failed',
      });
    });

    it('refuses a task with a token of another activation', async () => {
      await expect(gate.task(5, 'a-token-of-some-other-activation', task)).rejects.toThrow();
    });

    it('has stopped the agent when stop resolves, as often as it is asked', async () => {
      await gate.stop(6);
      expect(await gate.status()).toMatchObject({ agent: 'inactive', run: null, fence: 6 });
      await gate.stop(6);
    });

    it('has stopped the agent when lock resolves, without a fence, and lets none start', async () => {
      await gate.start(7, runId, traceparent);
      expect(await gate.lock('halt h-1 by U1: leak')).toMatchObject({ locked: true, agent: 'inactive' });
      const { agent, run, lock, fence } = await gate.status();
      expect({ agent, run, fence }).toEqual({ agent: 'inactive', run: null, fence: 7 });
      expect(lock?.reason).toBe('halt h-1 by U1: leak');
      expect(Math.abs(Date.parse(lock?.at ?? '') - Date.now())).toBeLessThan(5_000);
      await expect(gate.start(8, runId, traceparent)).rejects.toMatchObject({ code: 'locked' });
    });

    it('still brings evidence and stops while it is locked', async () => {
      expect((await gate.evidence(8, 'disk')).outputs).toBeInstanceOf(Array);
      await gate.stop(8);
      expect((await gate.status()).lock).not.toBeNull();
    });

    it('keeps the reason of the last lock', async () => {
      await gate.lock('halt h-2 by U2: another leak');
      expect((await gate.status()).lock?.reason).toBe('halt h-2 by U2: another leak');
    });

    it('lets nobody who comes late lift the lock of another', async () => {
      expect(await gate.unlock('halt h-1 by U1: leak')).toMatchObject({ locked: true });
      expect((await gate.status()).lock).not.toBeNull();
    });

    it('lets the agent start again once it is unlocked, as often as it is asked', async () => {
      const reason = 'halt h-2 by U2: another leak';
      expect(await gate.unlock(reason)).toMatchObject({ locked: false, agent: 'inactive' });
      expect(await gate.unlock(reason)).toMatchObject({ locked: false });
      expect((await gate.status()).lock).toBeNull();
      await gate.start(9, runId, traceparent);
      await gate.stop(9);
    });
  });
}
