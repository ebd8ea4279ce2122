import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenSocket, TaskCall } from '../../src/edge-client/task-transport.ts';
import { transports } from '../../src/edge-client/transports/index.ts';
import type { AgentTask } from '../../src/fleet/agent-task.ts';
import { AgentError } from '../../src/fleet/errors.ts';
import { limitsSchema, type TransportName } from '../../src/fleet/machine.ts';
import type { ToolCall } from '../../src/fleet/run.ts';
import { allowedCommand, claim, deniedCommand, type Mode } from '../support/scripts.ts';

/** An agent whose model follows the `MODE:…` of its task (`test/support/scripts.ts`) and whose id is `edge`. */
export interface AgentUnderTest {
  readonly open: OpenSocket;
  readonly token: string;
  /** How it calls the command that it may run, where that is not the command itself. */
  readonly allowed?: string;
  /** How many tasks hang in its model, where that can be seen from outside. */
  readonly hanging?: () => number;
  close(): Promise<void>;
}

/** A real gateway may take this long before it asks its model for the first time. */
const modelCallTimeoutMs = 60_000;
/** A command for which people are asked waits for minutes. */
const deniedAtOnceMs = 10_000;

const hex = (digits: number) =>
  Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('');

/** What every transport promises of every agent that it can speak to. */
export function taskTransportSuite(
  agent: string,
  transport: TransportName,
  make: () => Promise<AgentUnderTest>,
): void {
  const seesToolCalls = transport === 'gateway-ws';

  describe(`the transport ${transport}, to ${agent}`, () => {
    let under: AgentUnderTest;
    beforeAll(async () => {
      under = await make();
    });
    afterAll(async () => {
      await under?.close();
    });

    const callOf = (
      mode: Mode,
      changes: Partial<Omit<TaskCall, 'task'>> & { task?: Partial<AgentTask> } = {},
    ): TaskCall => ({
      machine: 'test-01',
      open: under.open,
      token: under.token,
      limits: limitsSchema.parse({}),
      signal: new AbortController().signal,
      clock: Date.now,
      ...changes,
      task: {
        runId: `r-${hex(12)}`,
        agentId: 'edge',
        message: `Look at this machine. MODE:${mode}`,
        traceparent: `00-${hex(32)}-${hex(16)}-01`,
        ...changes.task,
      },
    });
    const send = (...args: Parameters<typeof callOf>) => transports[transport].send(callOf(...args));

    it('brings the text of the answer, and what it cost', async () => {
      const answer = await send('text');
      expect(answer.text).toBe('Hello from the agent.');
      expect(answer.usage?.inputTokens).toBeGreaterThan(0);
      expect(answer.usage?.outputTokens).toBeGreaterThan(0);
    });

    it('brings an answer that rests on a command, and each tool call as it ends where it can see them', async () => {
      const seen: ToolCall[] = [];
      const answer = await send('tool', { task: { onToolCall: (call) => seen.push(call) } });
      expect(answer.text).toMatch(/^It says: Linux /);
      expect(answer.toolCalls).toEqual(seen);
      if (!seesToolCalls) return;
      expect(answer.model).toBeTypeOf('string');
      expect(seen).toHaveLength(1);
      const [call] = seen;
      expect(call).toMatchObject({ tool: 'exec', input: under.allowed ?? allowedCommand, failed: false });
      expect(answer.text).toContain(call?.output.trim());
      expect(call?.endedAt).toBeGreaterThanOrEqual(call?.startedAt ?? Number.POSITIVE_INFINITY);
    });

    it.runIf(seesToolCalls)('marks a denied tool call as failed', async () => {
      const { text, toolCalls } = await send('denied');
      expect(text).toBe('I could not run it.');
      expect(toolCalls).toMatchObject([{ input: deniedCommand, failed: true }]);
      expect(toolCalls[0]?.output).toContain('denied');
    });

    it('runs no command that is not allowed, whatever the model says of approvals, and tells what was denied', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'fleetbot-kept-'));
      const kept = join(folder, 'kept');
      await writeFile(kept, '');
      const command = `rm -rf ${kept}`;
      const denied: string[] = [];
      const message = `Free some space. MODE:claims\nRUN: ${command}`;
      const { text, toolCalls } = await send('claims', {
        task: { message, onDenied: (one) => denied.push(one) },
      });
      await expect(access(kept)).resolves.toBeUndefined();
      await rm(folder, { recursive: true });
      expect(text).toBe(claim);
      expect(denied).toEqual(seesToolCalls ? [command] : []);
      for (const { startedAt, endedAt } of toolCalls)
        expect(endedAt - startedAt).toBeLessThan(deniedAtOnceMs);
    });

    it.runIf(seesToolCalls)('stops an agent that calls tools without end', async () => {
      const limits = limitsSchema.parse({ maxToolCalls: 2 });
      await expect(send('loop', { limits })).rejects.toMatchObject({ code: 'agent-looped' });
      await expectIdle();
    });

    it('stops an agent that talks without end', async () => {
      const limits = limitsSchema.parse({ maxAnswerBytes: 1_000 });
      await expect(send('long', { limits })).rejects.toMatchObject({ code: 'agent-looped' });
    });

    it('is refused with a wrong token, and with the id of an agent that is not there', async () => {
      await expect(send('text', { token: 'a-wrong-token-of-some-length' })).rejects.toMatchObject({
        code: 'agent-refused',
      });
      await expect(send('text', { task: { agentId: 'ghost' } })).rejects.toMatchObject({
        code: 'agent-refused',
        message: expect.stringContaining('ghost'),
      });
    });

    it('says that the agent failed when its model did', async () => {
      // Where a gateway answers with the model's own 400, it cannot be told from a refusal.
      await expect(send('fail')).rejects.toMatchObject({
        code: expect.stringMatching(/^agent-(failed|refused)$/),
      });
    });

    it('takes no empty answer for an answer', async () => {
      await expect(send('empty')).rejects.toMatchObject({
        code: expect.stringMatching(/^agent-(silent|failed)$/),
      });
    });

    it('tells the agent to stop when it is aborted, and rejects with the reason given', async () => {
      const { hanging = () => 0 } = under;
      const before = hanging();
      const stop = new AbortController();
      const reason = new AgentError('agent-timeout', 'Too slow.');
      const sent = send('hang', { signal: stop.signal });
      if (under.hanging) await expect.poll(hanging, { timeout: modelCallTimeoutMs }).toBe(before + 1);
      setTimeout(() => stop.abort(reason), 300);
      await expect(sent).rejects.toBe(reason);
      await expect.poll(hanging).toBe(before);
      await expectIdle();
    });

    it('does not begin when it is aborted already', async () => {
      const reason = new Error('cancelled');
      await expect(send('text', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    });

    it('says that the agent is lost when the connection breaks in the middle', async () => {
      let socket: Socket | undefined;
      const open: OpenSocket = async (signal) => {
        socket = await under.open(signal);
        return socket;
      };
      const sent = send('hang', { open });
      setTimeout(() => socket?.destroy(new Error('the link was cut')), 300);
      await expect(sent).rejects.toMatchObject({
        code: 'agent-lost',
        message: expect.stringContaining('the link was cut'),
      });
    });

    it('leaves no connection, however it ends', async () => {
      const sockets: Socket[] = [];
      const open: OpenSocket = async (signal) => {
        const socket = await under.open(signal);
        sockets.push(socket);
        return socket;
      };
      await send('text', { open });
      await send('empty', { open }).catch(() => {});
      await send('text', { open, token: 'a-wrong-token-of-some-length' }).catch(() => {});
      expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, true]);
    });

    /** An agent that was told to stop is free for the next task at once. */
    async function expectIdle(): Promise<void> {
      const answer = await send('text');
      expect(answer.text).toBe('Hello from the agent.');
    }
  });
}
