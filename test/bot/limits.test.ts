import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runAgainActionId } from '../../src/bot/action-ids.ts';
import { LimitError } from '../../src/fleet/errors.ts';
import type { Request } from '../../src/fleet/request.ts';
import { BotUnderTest, fleetOf, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
const { controls } = test;
beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(() => test.reset());

/** These machines are over a limit. */
const over = (names: readonly string[], kind: 'rate' | 'waiting' = 'rate') => {
  test.requests.limit = (requests: readonly Request[]) => {
    const those = requests.map((request) => request.machine).filter((name) => names.includes(name));
    if (those.length === 0) return undefined;
    return new LimitError(
      `${those.join(' and ')} had 60 requests in a minute. Try again in 20 s.`,
      kind,
      those,
    );
  };
};
const served = () => test.requests.stored.map((run) => run.request.machine);

describe('a request over a limit', () => {
  it('is refused with the reason, counted and recorded', async () => {
    over(['web-01']);
    const ack = await test.command('check web-01 disk');
    expect(ack.text).toContain('web-01 had 60 requests in a minute. Try again in 20 s.');
    expect(served()).toEqual([]);
    expect(controls.counted).toEqual(['limited rate']);
    await vi.waitFor(() => expect(controls.entries).toHaveLength(1));
    expect(controls.entries[0]).toEqual({
      kind: 'request.limited',
      at: test.now,
      by: { kind: 'person', userId: 'UANN', teamId: 'T1' },
      what: 'check',
      target: 'check web-01 disk',
      reason: 'web-01 had 60 requests in a minute. Try again in 20 s.',
    });
  });

  it('of a campaign is left out and named; the others are served', async () => {
    over(['web-02'], 'waiting');
    const ack = await test.command('check all disk');
    expect(ack.text).toContain('2 machines: check disk');
    expect(ack.text).toContain('Left out: `web-02`. web-02 had 60 requests in a minute');
    expect(served()).toEqual(['web-01', 'db-01']);
    expect([...test.requests.campaigns.values()]).toMatchObject([{ machines: ['web-01', 'db-01'] }]);
    expect(controls.counted).toEqual(['limited waiting', 'accepted check 2']);
    await vi.waitFor(() => expect(controls.entries).toMatchObject([{ what: 'check', target: 'all' }]));
  });

  it('of every machine of a campaign refuses the campaign', async () => {
    over(['web-01', 'web-02', 'db-01']);
    const ack = await test.command('check all disk');
    expect(ack.text).toContain('web-01 and web-02 and db-01 had 60 requests');
    expect(served()).toEqual([]);
    expect(controls.counted).toEqual(['limited rate']);
  });

  it('that others fill meanwhile is not tried for ever', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `web-${index}`);
    test.fleet = fleetOf(
      names.map((name) => machine(name)),
      [{ people: ['UANN'] }],
    );
    let calls = 0;
    test.requests.limit = ([first]) => {
      calls += 1;
      return new LimitError('Too much.', 'rate', [first?.machine ?? '']);
    };
    const ack = await test.command('check all disk');
    expect(ack.text).toContain('Too much. Nothing was stored for the other machines either.');
    expect(calls).toBeLessThan(10);
  });

  it('of the person is told, for a campaign too', async () => {
    test.requests.limit = () => new LimitError('You asked 30 times. Try again in 40 s.', 'person');
    for (const command of ['check web-01 disk', 'check all disk']) {
      expect((await test.command(command)).text).toContain('Try again in 40 s.');
    }
    expect(served()).toEqual([]);
    expect(controls.counted).toEqual(['limited person', 'limited person']);
  });

  it('behind a button is told to who clicked', async () => {
    await test.command('check web-01 disk');
    over(['web-01']);
    await test.click(runAgainActionId, 'r-000000000000');
    await vi.waitFor(() => expect(test.slack.responses).toHaveLength(1));
    expect(test.slack.responses[0]?.text).toContain('Try again in 20 s.');
    expect(controls.counted).toEqual(['accepted check 1', 'limited rate']);
    expect(served()).toEqual(['web-01']);
  });

  it('is told although the ledger cannot be written', async () => {
    controls.ledgerAway = true;
    over(['web-01']);
    expect((await test.command('check web-01 disk')).text).toContain('Try again in 20 s.');
    expect(controls.counted).toEqual(['limited rate']);
  });
});

describe('a refusal of the access table', () => {
  it('is counted and recorded with who, what, on what and why, and without secrets', async () => {
    test.fleet = { ...test.fleet, access: [] };
    await test.command('ask web-01 is password=hunter2hunter2 refused?');
    await test.command('runs web-01');
    expect(controls.counted).toEqual(['denied ask', 'denied view']);
    await vi.waitFor(() => expect(controls.entries).toHaveLength(2));
    expect(controls.entries[0]).toMatchObject({
      kind: 'request.denied',
      by: { userId: 'UANN' },
      what: 'ask',
      target: 'ask web-01 is password=[redacted:password] refused?',
      reason: expect.stringContaining('You may not ask web-01'),
    });
  });

  it('is not what a mistake is', async () => {
    await test.command('check web-9 disk');
    await test.command('no such thing');
    expect(controls.counted).toEqual([]);
    expect(controls.entries).toEqual([]);
  });
});

describe('a quarantined machine', () => {
  const quarantine = {
    runId: 'r-9',
    reason: 'The agent could not be measured inactive.',
    at: 1_800_000_000_000,
  };
  beforeEach(() => test.requests.records.set('web-01', { quarantine }));

  it('takes requests, and the person is told since when and why it is quarantined', async () => {
    const ack = await test.command('check web-01 disk');
    expect(served()).toEqual(['web-01']);
    expect(ack.text).toContain(
      '`web-01` is quarantined since 2027-01-15 08:00:00 UTC, after run `r-9`: The agent could not be measured inactive. The run first measures',
    );
    expect(ack.text).toContain('"response_type":"ephemeral"');
  });

  it('is named in a campaign, but not looked up among very many', async () => {
    expect((await test.command('check all disk')).text).toContain('`web-01` is quarantined since');
    const names = Array.from({ length: 51 }, (_, index) => `web-${index}`);
    test.fleet = fleetOf(
      names.map((name) => machine(name)),
      [{ people: ['UANN'] }],
    );
    const lookUp = vi.spyOn(test.requests, 'machine');
    expect((await test.command('check all disk')).text).not.toContain('quarantined');
    expect(lookUp).not.toHaveBeenCalled();
  });

  it('does not keep a request from being stored when it cannot be looked up', async () => {
    vi.spyOn(test.requests, 'machine').mockRejectedValue(new Error('Redis is slow'));
    expect(await test.command('check web-01 disk')).toEqual({ status: 200, text: '' });
    expect(served()).toEqual(['web-01']);
  });
});
