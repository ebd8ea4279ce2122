import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { cancelActionId, openTraceActionId, runAgainActionId } from '../../src/bot/action-ids.ts';
import { sameRequestWindowMs } from '../../src/bot/actions/same-click.ts';
import { BotUnderTest, fleetOf, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(async () => {
  test.reset();
  await test.command('check web-01 disk');
});

const first = 'r-000000000000';

/** What the person is told; waits for it. */
async function told(count = 1): Promise<string> {
  await vi.waitFor(() => expect(test.slack.responses).toHaveLength(count));
  expect(test.slack.responses.at(-1)).toMatchObject({ response_type: 'ephemeral', replace_original: false });
  return String(test.slack.responses.at(-1)?.text);
}

describe('Run again', () => {
  it('queues the same task for the same machine and place, in the name of who clicked', async () => {
    const ack = await test.click(runAgainActionId, first, 'UBEN');
    expect(ack).toEqual({ status: 200, text: '' });
    await vi.waitFor(() => expect(test.requests.stored).toHaveLength(2));
    expect(test.requests.stored[1]?.request).toMatchObject({
      machine: 'web-01',
      task: { kind: 'check', check: 'disk' },
      origin: { channel: 'C1' },
      requester: { userId: 'UBEN' },
      eventId: expect.stringMatching(/^again:r-000000000000:\d+$/),
    });
  });

  it('clicked twice is one request, and the person is told', async () => {
    await Promise.all([test.click(runAgainActionId, first), test.click(runAgainActionId, first)]);
    expect(await told()).toContain('`r-000000000001` began a moment ago');
    expect(test.requests.stored).toHaveLength(2);
  });

  it('clicked twice over the edge of a window is one request too', async () => {
    test.now = Math.ceil(test.now / sameRequestWindowMs) * sameRequestWindowMs - 1;
    await test.click(runAgainActionId, first);
    await vi.waitFor(() => expect(test.requests.stored).toHaveLength(2));
    test.now += 2;
    await test.click(runAgainActionId, first);
    expect(await told()).toContain('began a moment ago');
    expect(test.requests.stored).toHaveLength(2);
  });

  it('clicked once more later is another request', async () => {
    await test.click(runAgainActionId, first);
    await vi.waitFor(() => expect(test.requests.stored).toHaveLength(2));
    test.now += sameRequestWindowMs;
    await test.click(runAgainActionId, first);
    await vi.waitFor(() => expect(test.requests.stored).toHaveLength(3));
  });

  it('is judged by the access table of the moment of the click', async () => {
    test.fleet = fleetOf([machine('web-01')], [{ people: ['UANN'], verbs: ['view'] }]);
    await test.click(runAgainActionId, first);
    expect(await told()).toContain('You may not check web-01');
    expect(test.requests.stored).toHaveLength(1);
  });

  it('is denied to a guest', async () => {
    await test.click(runAgainActionId, first, 'UGUS');
    expect(await told()).toContain('Guests');
    expect(test.requests.stored).toHaveLength(1);
  });

  it('tells when the store is away', async () => {
    test.requests.away = true;
    await test.click(runAgainActionId, first);
    expect(await told()).toContain('could not reach its store');
  });
});

describe('Cancel', () => {
  it('ends the run and tells who clicked', async () => {
    await test.click(cancelActionId, first);
    expect(await told()).toContain('Cancelled before it began');
    expect(test.requests.stored[0]?.cancellation?.userId).toBe('UANN');
  });

  it('clicked twice says that it is done already', async () => {
    await test.click(cancelActionId, first);
    await told(1);
    await test.click(cancelActionId, first);
    expect(await told(2)).toContain('done already');
  });

  it('clicked twice on a run at work says that it is already being cancelled', async () => {
    const [run] = test.requests.stored;
    if (run === undefined) throw new Error('nothing stored');
    test.requests.stored[0] = { ...run, state: 'tasking' };
    await test.click(cancelActionId, first);
    expect(await told(1)).toContain('Asked to stop');
    test.now += 1;
    await test.click(cancelActionId, first);
    expect(await told(2)).toContain('Already being cancelled');
  });

  it('is denied without the verb, to anybody but who asked', async () => {
    test.fleet = fleetOf([machine('web-01')], [{ people: ['UBEN'], verbs: ['view', 'check'] }]);
    await test.click(cancelActionId, first, 'UBEN');
    expect(await told()).toContain('You may not cancel web-01');
    expect(test.requests.stored[0]?.cancellation).toBeUndefined();
  });
});

describe('a click', () => {
  it.each([
    [runAgainActionId, 'r-zzzzzzzzzzzz', 'no longer known'],
    [cancelActionId, 'r-zzzzzzzzzzzz', 'There is no run'],
    [cancelActionId, 'c-zzzzzzzzzzzz', 'There is no run'],
    [runAgainActionId, 'rm -rf /', 'nothing that fleetbot knows'],
    [cancelActionId, '', 'nothing that fleetbot knows'],
  ])(
    'on %s with the forged value "%s" changes nothing and is explained',
    async (action, value, explanation) => {
      await test.click(action, value);
      expect(await told()).toContain(explanation);
      expect(test.requests.stored).toHaveLength(1);
      expect(test.requests.stored[0]?.cancellation).toBeUndefined();
    },
  );

  it('is acknowledged before anything is looked up or stored', async () => {
    const opened = Promise.withResolvers<void>();
    test.requests.gate = opened.promise;
    expect(await test.click(runAgainActionId, first)).toEqual({ status: 200, text: '' });
    expect(test.requests.stored).toHaveLength(1);
    opened.resolve();
    await vi.waitFor(() => expect(test.requests.stored).toHaveLength(2));
  });

  it('on Open trace is acknowledged and nothing else', async () => {
    expect(await test.click(openTraceActionId, '')).toEqual({ status: 200, text: '' });
    expect(test.slack.responses).toHaveLength(0);
  });
});
