import { describe, expect, it } from 'vitest';
import type { AgentAnswer } from '../../src/fleet/agent-task.ts';
import { AgentError } from '../../src/fleet/errors.ts';
import { sumOf, timesOf } from '../../src/fleet/spending.ts';
import { type SupervisedMachine, supervisedMachines } from './supervised-machine.ts';
import { Zombie } from './zombie.ts';

const open = supervisedMachines();

const ask = { kind: 'ask', question: 'Why is it slow?' } as const;
/** One answer uses it up. */
const rest =
  'prices: { m: { inputUsdPerMillion: 1, outputUsdPerMillion: 2 } }\nbudgets: [{ name: web, usd: 0.0003, per: month }]\n';
const costing: AgentAnswer = {
  ...{ text: 'All is well.', toolCalls: [], model: 'm' },
  usage: { inputTokens: 100, outputTokens: 100 },
};
const answer = async () => costing;
// Sums are read for every question.
const queue = { spendingStaleMs: 0 };

const spentOn = async (on: SupervisedMachine) =>
  sumOf(await on.queue.spending.rows([timesOf(Date.now()).month]));
const starts = (on: SupervisedMachine) =>
  on.machine.books.filter((entry) => entry.startsWith('start')).length;

describe('a run that is accepted before the budget is used up', () => {
  it('keeps its verdict where it is a check, without the agent, and says why', async () => {
    await using on = await open({ rest, queue, behaviour: { answer } });
    expect((await on.serve()).diagnosis).toMatchObject({ costUsd: 0.0003 });
    const run = await on.serve();
    expect(run).toMatchObject({
      ...{ state: 'done', verdict: 'ok', inertness: 'never-started' },
      withheld: {
        ...{ moment: 'agent', kind: 'over-budget' },
        reason: expect.stringMatching(/^the budget web is used up: \$0\.0003 of \$0\.0003 in /),
      },
    });
    expect(run.diagnosis).toBeUndefined();
    expect(starts(on)).toBe(1);
    const ledger = (await on.queue.ledger.read('', 100)).map(({ entry }) => JSON.parse(entry));
    expect(ledger.at(-1)).toMatchObject({
      kind: 'run.done',
      withheld: { moment: 'agent', kind: 'over-budget' },
    });
    expect(ledger.filter(({ kind }) => kind === 'budget.exceeded')).toHaveLength(1);
  });

  it('comes to nothing where it is a question', async () => {
    await using on = await open({ rest, queue, behaviour: { answer } });
    await on.serve(ask);
    expect(await on.serve(ask)).toMatchObject({
      ...{ state: 'done', verdict: 'cancelled', inertness: 'never-started' },
      withheld: { moment: 'agent', kind: 'over-budget' },
    });
    expect(starts(on)).toBe(1);
  });

  it('is served as ever once the budget is raised', async () => {
    await using on = await open({ rest, queue, behaviour: { answer } });
    await on.serve(ask);
    on.fleet = { ...on.fleet, budgets: on.fleet.budgets.map((budget) => ({ ...budget, usd: 1 })) };
    expect(await on.serve(ask)).toMatchObject({ verdict: 'answered' });
  });

  it('is not given a second agent where its worker dies and others use the budget up meanwhile', async () => {
    await using on = await open({ rest, queue, behaviour: { answer } });
    const id = await on.request(ask);
    await Zombie.at(on, 'task', 'before');
    on.fleet = { ...on.fleet, budgets: on.fleet.budgets.map((budget) => ({ ...budget, usd: 0.000_000_1 })) };
    expect(await on.driveNext()).toMatchObject({
      ...{ id, verdict: 'failed', inertness: 'inactive' },
      ...{
        withheld: { moment: 'agent' },
        diagnosis: { activations: 1, failure: { code: 'agent-interrupted' } },
      },
    });
    expect(starts(on)).toBe(1);
  });
});

describe('what an agent used', () => {
  it('counts where it failed and told it nevertheless', async () => {
    const { usage, model } = costing;
    const failed = async () => {
      throw new AgentError('agent-failed', 'The model is away.', {
        told: { ...(usage && { usage }), model: model ?? '' },
      });
    };
    await using on = await open({ rest, behaviour: { answer: failed } });
    expect((await on.serve()).diagnosis).toMatchObject({
      ...{ failure: { code: 'agent-failed' }, usage, model: 'm', costUsd: 0.0003 },
    });
    expect(await spentOn(on)).toMatchObject({ activations: 1, microUsd: 300, untold: 0 });
  });

  it('is known not to be known where it told nothing', async () => {
    await using on = await open({
      rest,
      behaviour: { answer: async () => ({ text: 'Well.', toolCalls: [] }) },
    });
    await on.serve();
    expect(await spentOn(on)).toMatchObject({ activations: 1, microUsd: 0, untold: 1 });
  });

  it('is not counted for a run in which none was started', async () => {
    await using on = await open({ rest, yaml: '    agent: { diagnose: never }\n', behaviour: { answer } });
    await on.serve();
    expect(await spentOn(on)).toMatchObject({ activations: 0 });
  });
});
