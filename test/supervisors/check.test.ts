import { describe, expect, it } from 'vitest';
import { MachineError, type MachineErrorCode } from '../../src/fleet/errors.ts';
import { modelMaxCharacters } from '../../src/fleet/spending.ts';
import { dfOutputs } from '../support/df-outputs.ts';
import { supervisedMachines } from './supervised-machine.ts';

const open = supervisedMachines();

const diagnose = (mode: string) => `    agent: { diagnose: ${mode} }\n`;
const ask = { kind: 'ask', question: 'Why is it slow?' } as const;
const secret = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';

describe('a check', () => {
  it('stores every state before the effect that it announces', async () => {
    await using on = await open();
    const calls: string[] = [];
    const run = await on.serve(undefined, {
      before: (call) => void calls.push(call),
      after: (call) => void calls.push(`${call}!`),
    });
    expect(calls.filter((call) => call.endsWith('!')).map((call) => call.slice(0, -1))).toEqual([
      ...['store gathering', 'status', 'evidence'],
      ...['store starting', 'start', 'ready'],
      ...['store tasking', 'task'],
      ...['store stopping', 'stop', 'store done'],
    ]);
    // Each call begins only when the one before it has taken effect.
    expect(calls.every((call, index) => index % 2 === 0 || call === `${calls[index - 1]}!`)).toBe(true);
    expect(run).toMatchObject({ state: 'done', verdict: 'ok', inertness: 'inactive' });
    expect(run.failure).toBeUndefined();
    expect(run.timeline.map(({ state }) => state)).toEqual([
      ...['queued', 'gathering', 'starting', 'tasking', 'stopping', 'done'],
    ]);
  });

  it('has its verdict and its evidence in the record before the agent is started', async () => {
    await using on = await open({ behaviour: { outputs: () => dfOutputs(95) } });
    const id = await on.request();
    const seen: unknown[] = [];
    await on.driveNext({
      before: async (call) => {
        if (call === 'start') seen.push(await on.run(id));
      },
    });
    expect(seen).toMatchObject([
      {
        state: 'starting',
        verdict: 'critical',
        evidence: { check: 'disk', outputs: [{ argv: ['df', '-PkT'] }, { argv: ['df', '-PiT'] }] },
        inertness: 'unknown',
      },
    ]);
  });

  it('keeps what the agent brought beside the verdict, and ends the trace once', async () => {
    await using on = await open({
      behaviour: {
        answer: async () => ({
          text: 'Nothing stands out.\nVERDICT: ok',
          toolCalls: [
            { id: '1', tool: 'exec', input: 'df', output: 'x', failed: false, startedAt: 1, endedAt: 2 },
          ],
          usage: { inputTokens: 10, outputTokens: 5 },
          model: 'some/model',
        }),
      },
    });
    const run = await on.serve();
    expect(run.diagnosis).toEqual({
      activations: 1,
      comment: 'Nothing stands out.\nVERDICT: ok',
      toolCalls: [
        { id: '1', tool: 'exec', input: 'df', output: 'x', failed: false, startedAt: 1, endedAt: 2 },
      ],
      usage: { inputTokens: 10, outputTokens: 5 },
      model: 'some/model',
      contradictions: [],
    });
    expect(on.tracer.finished.map(({ id, state }) => [id, state])).toEqual([[run.id, 'done']]);
    expect(on.tracer.open).toEqual([]);
    expect(on.tracer.ended.map(({ name }) => name)).toEqual([
      ...['evidence', 'agent.start', 'agent.ready', 'agent.task', 'agent.stop'],
    ]);
  });

  it('marks what the agent says against the evidence, and keeps the verdict', async () => {
    await using on = await open({
      behaviour: {
        outputs: () => dfOutputs(20, 95),
        answer: async () => ({ text: '/var is fine.\nVERDICT: ok', toolCalls: [] }),
      },
    });
    const run = await on.serve();
    expect(run.verdict).toBe('critical');
    expect(run.diagnosis?.contradictions).toEqual([
      expect.stringContaining('the evidence says critical'),
      expect.stringContaining('/var is fine'),
    ]);
  });

  it.each([
    { mode: 'always', percent: 20, started: true },
    { mode: 'by-request', percent: 20, started: true },
    { mode: 'on-finding', percent: 20, started: false },
    { mode: 'on-finding', percent: 95, started: true },
    { mode: 'never', percent: 95, started: false },
  ])('with diagnose: $mode and / at $percent % starts the agent: $started', async (example) => {
    await using on = await open({
      yaml: diagnose(example.mode),
      behaviour: { outputs: () => dfOutputs(example.percent) },
    });
    const run = await on.serve();
    expect(on.machine.books.some((entry) => entry.startsWith('start'))).toBe(example.started);
    expect(run).toMatchObject({
      state: 'done',
      verdict: example.percent > 90 ? 'critical' : 'ok',
      inertness: example.started ? 'inactive' : 'never-started',
    });
  });

  it('puts no secret into the record, whoever printed it', async () => {
    const call = { id: '1', tool: 'exec', failed: false, startedAt: 1, endedAt: 2 };
    await using on = await open({
      behaviour: {
        outputs: () => dfOutputs().map((output) => ({ ...output, stderr: `token ${secret}` })),
        answer: async (task) => {
          const leaky = { ...call, input: `curl -H ${secret}`, output: secret };
          task.onToolCall?.(leaky);
          return { text: `It is ${secret}.`, toolCalls: [leaky], model: `some/${secret}` };
        },
      },
    });
    const run = await on.serve();
    expect(run.diagnosis?.toolCalls).toHaveLength(1);
    expect(run.diagnosis?.comment).toContain('[redacted');
    expect(JSON.stringify(run)).not.toContain(secret);
  });

  it('keeps no more of the name of a model than anybody would read', async () => {
    const answer = async () => ({ text: 'Fine.', toolCalls: [], model: 'm'.repeat(100_000) });
    await using on = await open({ behaviour: { answer } });
    expect((await on.serve()).diagnosis?.model).toBe('m'.repeat(modelMaxCharacters));
  });

  it('puts no secret of a command into the record, and still recognises the command', async () => {
    const argv = ['curl', '-H', `Authorization: Bearer ${secret}`, 'http://127.0.0.1'];
    const printed = { argv, exitCode: 0, stdout: 'up', stderr: '', truncated: false, durationMs: 1 };
    const check = `{ summary: up, command: ${JSON.stringify(argv)}, mustMatch: up }`;
    await using on = await open({
      yaml: `    customChecks: { up: ${check} }\n`,
      behaviour: { outputs: () => [printed] },
    });
    const run = await on.serve({ kind: 'check', check: 'up' });
    expect(run.verdict).toBe('ok');
    expect(JSON.stringify(run)).not.toContain(secret);
  });

  it('puts no secret of a failure into the record either', async () => {
    await using on = await open();
    const fail = (call: string) => {
      if (call === 'evidence') throw new MachineError('protocol', `It printed ${secret}.`);
    };
    const run = await on.serve(undefined, { before: fail });
    expect(run.failure?.code).toBe('protocol');
    expect(JSON.stringify(run)).not.toContain(secret);
  });
});

describe('a machine that cannot be asked or refuses', () => {
  it.each<MachineErrorCode>(['unreachable', 'host-key-changed', 'key-refused', 'protocol', 'timeout'])(
    '(%s) leaves the check inconclusive and starts no agent',
    async (code) => {
      await using on = await open();
      const run = await on.serve(undefined, {
        before: (call) => {
          if (call === 'status') throw new MachineError(code, 'No answer. Look at the network.');
        },
      });
      expect(run).toMatchObject({
        state: 'done',
        verdict: 'inconclusive',
        failure: { code, message: 'No answer. Look at the network.' },
        inertness: 'never-started',
      });
      expect(on.machine.books).toEqual([]);
    },
  );

  it('fails a question, because nothing answers it', async () => {
    await using on = await open();
    const run = await on.serve(ask, {
      before: (call) => {
        if (call === 'status') throw new MachineError('unreachable', 'No answer.');
      },
    });
    expect(run).toMatchObject({ verdict: 'failed', failure: { code: 'unreachable' } });
  });

  it('leaves a check that it refuses inconclusive', async () => {
    await using on = await open({
      behaviour: {
        outputs: () => {
          throw new MachineError('verb-refused', 'The check is not authorised.');
        },
      },
    });
    expect(await on.serve()).toMatchObject({ verdict: 'inconclusive', failure: { code: 'verb-refused' } });
    expect(on.machine.books.some((entry) => entry.startsWith('start'))).toBe(false);
  });

  it('is not judged by the output of other commands than the fleet file lists', async () => {
    const other = dfOutputs().map((output) => ({ ...output, argv: ['df', '-P', '/'] }));
    await using on = await open({ behaviour: { outputs: () => other } });
    const run = await on.serve();
    expect(run).toMatchObject({ verdict: 'inconclusive', failure: { code: 'policy-drift' }, findings: [] });
    expect(run.evidence?.outputs).toHaveLength(2);
    expect(on.machine.books).toEqual(['evidence disk']);
  });

  it('is not judged when the fleet file has dropped the check meanwhile', async () => {
    await using on = await open({ yaml: '    checks: [load]\n' });
    expect(await on.serve()).toMatchObject({ verdict: 'inconclusive', failure: { code: 'check-unknown' } });
  });

  it('is left alone while it is locked', async () => {
    await using on = await open();
    on.machine.locked = { reason: 'maintenance', at: new Date().toISOString() };
    const run = await on.serve();
    expect(run).toMatchObject({ verdict: 'inconclusive', failure: { code: 'locked' } });
    expect(run.failure?.message).toContain('maintenance. Whoever has the SSH key unlocks it');
    expect(on.machine.books).toEqual([]);
  });

  it('that a halt has locked says how that halt is lifted', async () => {
    await using on = await open();
    on.machine.locked = { reason: 'halt h-1 by U1: leak', at: new Date().toISOString() };
    expect((await on.serve()).failure?.message).toContain('`/fleet resume h-1` lifts that');
  });

  it('that is no longer in the fleet file is said to be unknown', async () => {
    await using on = await open();
    await on.request();
    on.fleet = { ...on.fleet, machines: new Map() };
    expect(await on.driveNext()).toMatchObject({
      state: 'done',
      verdict: 'failed',
      failure: { code: 'machine-unknown' },
      inertness: 'never-started',
    });
  });
});

describe('a question', () => {
  it('is answered by the agent, without evidence', async () => {
    await using on = await open({
      behaviour: { answer: async (task) => ({ text: task.message, toolCalls: [] }) },
    });
    const run = await on.serve(ask);
    expect(run).toMatchObject({ verdict: 'answered', findings: [], inertness: 'inactive' });
    expect(run.diagnosis?.comment).toContain('Why is it slow?');
    expect(on.machine.books).toEqual([`start ${run.id}`, `task ${run.id}`, 'stop']);
  });

  it('wakes the agent even where checks never do', async () => {
    await using on = await open({ yaml: diagnose('never') });
    expect((await on.serve(ask)).verdict).toBe('answered');
  });
});

describe('before its evidence is gathered, a machine', () => {
  it('has a stray agent stopped, and the next activation gets a fence above the stop', async () => {
    await using on = await open();
    await on.machine.start(4, 'r-someone-else', '');
    const run = await on.serve();
    expect(on.machine.books).toEqual([
      ...['start r-someone-else', 'stop', 'evidence disk'],
      ...[`start ${run.id}`, `task ${run.id}`, 'stop'],
    ]);
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
  });

  it('gives the run a fence above every one that it has seen', async () => {
    await using on = await open();
    await on.machine.evidence(41, 'disk');
    expect(await on.serve()).toMatchObject({ verdict: 'ok', diagnosis: { activations: 1 } });
    expect(on.machine.highestFence).toBe(42);
    expect((await on.queue.requests.machine('rhel-01')).fence).toBe(42);
  });

  it('whose stray agent cannot be stopped is quarantined and left alone', async () => {
    await using on = await open();
    await on.machine.start(4, 'r-someone-else', '');
    const run = await on.serve(undefined, {
      before: (call) => {
        if (call === 'stop') throw new MachineError('timeout', 'It is still there.');
      },
    });
    expect(run).toMatchObject({
      verdict: 'inconclusive',
      failure: { code: 'inertness-unknown' },
      inertness: 'unknown',
    });
    expect((await on.queue.requests.machine('rhel-01')).quarantine?.runId).toBe(run.id);
    expect(on.machine.books).toEqual(['start r-someone-else']);
  });
});
