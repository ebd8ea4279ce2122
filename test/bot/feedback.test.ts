import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { feedbackActionIds } from '../../src/bot/action-ids.ts';
import type { Run } from '../../src/fleet/run.ts';
import { judged, sampleRun } from '../support/sample-run.ts';
import { BotUnderTest, eventually, fleetOf, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
const id = 'r-00000000aaaa';

beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(() => {
  test.reset();
  test.users.set('UVIEW', {});
  test.users.set('UNONE', {});
  test.fleet = fleetOf([machine('web-01')], [{ people: ['UVIEW', 'UGUS'], verbs: ['view'] }]);
  store(sampleRun(id, 'done', judged));
});

function store(run: Run): void {
  test.requests.stored.splice(0, 1, run);
}

/** What people were told last. */
async function told(): Promise<string> {
  await eventually(() => expect(test.slack.responses.length).toBeGreaterThan(0));
  return JSON.stringify(test.slack.responses.at(-1));
}

/** Clicks. @returns the window's id */
async function openWindow(rating: 'good' | 'bad', user = 'UVIEW'): Promise<string> {
  const before = test.slack.modals.size;
  expect(await test.click(feedbackActionIds[rating], id, user)).toEqual({ status: 200, text: '' });
  await eventually(() => expect(test.slack.modals.size).toBe(before + 1));
  return [...test.slack.modals.keys()].at(-1) ?? '';
}

describe('👍 and 👎', () => {
  it('of whoever may view the machine stand in the ledger with the trace, and why', async () => {
    const window = await openWindow('bad');
    expect(test.slack.modals.get(window)).toMatchObject({ private_metadata: id, type: 'modal' });
    expect(test.controls.entries).toEqual([]);
    const ack = await test.submit(window, 'it never looked\nat /var', 'UVIEW');
    expect(ack.text).toContain('"response_action":"update"');
    expect(ack.text).toContain('Thank you');
    expect(test.controls.entries).toEqual([
      {
        ...{ kind: 'feedback.given', at: test.now, run: id, machine: 'web-01', trace: 'a'.repeat(32) },
        by: { kind: 'person', userId: 'UVIEW', teamId: 'T1' },
        ...{ rating: 'bad', reason: 'it never looked at /var' },
      },
    ]);
  });

  it('need no reason where the answer is good, and one where it is bad', async () => {
    await test.submit(await openWindow('good'), '', 'UVIEW');
    expect(test.controls.entries).toMatchObject([{ rating: 'good' }]);
    expect(test.controls.entries[0]).not.toHaveProperty('reason');
    const ack = await test.submit(await openWindow('bad'), ' \n ', 'UVIEW');
    expect(JSON.parse(ack.text)).toMatchObject({ response_action: 'errors', errors: { reason: /Say why/ } });
    expect(test.controls.entries).toHaveLength(1);
  });

  it('keep no secret of the reason, and no more than the window takes', async () => {
    await test.submit(await openWindow('bad'), `password=hunter2hunter2 ${'x'.repeat(4_000)}`, 'UVIEW');
    const [entry] = test.controls.entries;
    const reason = entry?.kind === 'feedback.given' ? (entry.reason ?? '') : '';
    expect(reason).toMatch(/^password=\[redacted:password\] x+…$/);
    expect(reason).toHaveLength(500);
  });

  it('say whether they come to a trace', async () => {
    const without = await test.submit(await openWindow('good'), 'well seen', 'UVIEW');
    expect(without.text).toContain('there is no trace: no MLflow');
    test.traceLink = { url: 'https://mlflow.example/#/experiments/1/traces' };
    const withTrace = await test.submit(await openWindow('good'), 'well seen', 'UVIEW');
    expect(withTrace.text).toContain('with the trace as your assessment');
  });

  it.each([
    ['a guest', 'UGUS', 'Guests'],
    ['somebody who may not view the machine', 'UNONE', 'You may not view web-01'],
  ])('are refused to %s at the click, which is noted', async (_who, user, explanation) => {
    await test.click(feedbackActionIds.good, id, user);
    expect(await told()).toContain(explanation);
    expect(test.slack.modals.size).toBe(0);
    await eventually(() =>
      expect(test.controls.entries).toMatchObject([
        { kind: 'request.denied', what: 'feedback', target: id, by: { userId: user } },
      ]),
    );
    expect(test.controls.counted).toEqual(['denied feedback']);
  });

  it('are one fact where the same is said again, and every other word is one more', async () => {
    for (const rating of ['bad', 'bad', 'good', 'bad'] as const) {
      const ack = await test.submit(await openWindow(rating), 'as far as I saw', 'UVIEW');
      expect(ack.text).toContain('Thank you');
    }
    expect(test.controls.entries).toMatchObject([{ rating: 'bad' }, { rating: 'good' }, { rating: 'bad' }]);
  });

  it('are refused to whoever lost the right while the window was open', async () => {
    const window = await openWindow('good');
    test.fleet = fleetOf([machine('web-01')], []);
    const ack = await test.submit(window, 'well seen', 'UVIEW');
    expect(ack.text).toContain('You may not view web-01');
    await eventually(() => expect(test.controls.entries).toMatchObject([{ kind: 'request.denied' }]));
  });

  it('are not thanked for where they could not be stored', async () => {
    const window = await openWindow('good');
    test.controls.ledgerAway = true;
    const ack = await test.submit(window, 'well seen', 'UVIEW');
    expect(ack.text).toContain('could not reach its store');
    expect(ack.text).not.toContain('Thank you');
  });

  it.each([
    ['is not done', sampleRun(id, 'tasking', judged), 'There is no answer here to judge'],
    ['is not known', sampleRun('r-00000000bbbb', 'done', judged), 'no longer known'],
  ])('say so where the run %s', async (_what, run, explanation) => {
    store(run);
    await test.click(feedbackActionIds.good, id, 'UVIEW');
    expect(await told()).toContain(explanation);
    expect(test.slack.modals.size).toBe(0);
  });
});
