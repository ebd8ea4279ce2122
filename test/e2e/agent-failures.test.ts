import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentName, agentProgram } from '../support/agent-program.ts';
import { isRunning } from '../support/is-running.ts';
import { type Harness, startHarness } from './parts/harness.ts';

const maxToolCalls = 4;
const agents: readonly AgentName[] = [
  'exits-at-once',
  'never-ready',
  'nonsense',
  'silent',
  'loops',
  'contradicts',
  'fails',
  'hangs',
];

describe('an agent that fails erases no verdict and is not left running', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await startHarness([
      ...agents.map((name) => ({
        name,
        agentCommand: agentProgram(name),
        entry: { limits: { readyTimeoutMs: 4_000, maxToolCalls } },
      })),
      { name: 'no-program', agentCommand: ['/nonexistent/agent'] },
    ]);
  });

  afterAll(async () => {
    await harness?.[Symbol.asyncDispose]();
  });

  /** Checks the machine's disk and asserts what holds however its agent fails. */
  async function check(name: string) {
    const answer = await harness.sre.ask(`check ${name} disk`);
    const ended = await answer.ended();
    expect(ended.main).toContain(':large_green_circle: *ok*');
    expect(ended.main).toContain('agent measured inactive');
    expect(ended.thread).toContain('rests on `df -PkT`');
    expect(ended.run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    await harness.machine(name).expectInert();
    return ended;
  }

  it('whose program is missing: the unit failed', async () => {
    const { thread, main } = await check('no-program');
    expect(main).toContain('the agent failed');
    expect(thread).toContain("systemd could not start or stop the agent's service");
    expect(thread).toContain('The verdict above rests on the evidence alone and stands');
  });

  it('whose program ends at once: it ended before it was ready', async () => {
    const { thread, main } = await check('exits-at-once');
    expect(main).toContain('the agent failed');
    expect(thread).toContain('ended before it was ready');
  });

  it('whose gateway never gets ready', async () => {
    const { thread } = await check('never-ready');
    expect(thread).toContain('did not become ready in time');
    expect(harness.machine('never-ready').agentPids()).toHaveLength(1);
  });

  it('whose model answers nonsense: shown as its comment, harmless', async () => {
    const { thread, main } = await check('nonsense');
    expect(main).not.toContain('the agent failed');
    expect(thread).toContain('It is not a verdict');
    expect(thread).not.toContain('<!channel>');
    expect(thread).not.toContain('<@U000>');
  });

  it('whose model answers nothing', async () => {
    const { thread } = await check('silent');
    expect(thread).toContain('ended its task with an error');
  });

  it('whose model server refuses', async () => {
    const { thread } = await check('fails');
    expect(thread).toContain('ended its task with an error');
  });

  it('whose model loops: stopped at the limit of tool calls', async () => {
    const { thread, run } = await check('loops');
    expect(thread).toContain('made more tool calls than it may');
    expect(run.diagnosis?.failure?.message).toContain(String(maxToolCalls));
  });

  it('whose model contradicts the evidence: said in both messages', async () => {
    const { thread, main } = await check('contradicts');
    expect(main).toContain('contradicts the evidence');
    expect(thread).toContain('THE AGENT CONTRADICTS THE EVIDENCE');
    expect(thread).toContain('VERDICT: critical');
  });

  it('that is killed during its task', async () => {
    const machine = harness.machine('hangs');
    const answer = await harness.sre.ask('check hangs disk');
    await answer.reaches('tasking');
    const pid = machine.agentPid() ?? 0;
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
    const { main, thread, run } = await answer.ended();
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    expect(main).toContain(':large_green_circle: *ok*');
    expect(thread).toContain('The connection to the agent broke during the task');
    await machine.expectInert();
  });

  it('that is cancelled by a click while it works', async () => {
    const machine = harness.machine('hangs');
    const answer = await harness.sre.ask('check hangs disk');
    await answer.reaches('tasking');
    expect(isRunning(machine.agentPid() ?? 0)).toBe(true);
    await answer.click('cancel');
    const { main, run } = await answer.ended();
    expect(main).toMatch(/cancellation asked for by <@U0ALEX>/);
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    await machine.expectInert();
  });
});
