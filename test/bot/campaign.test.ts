import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { continueActionId, endWavesActionId } from '../../src/bot/action-ids.ts';
import { campaignButtonsBlockId } from '../../src/bot/views/campaign-main.ts';
import type { Campaign } from '../../src/fleet/campaign.ts';
import { BotUnderTest, fleetOf, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
const names = ['web-01', 'web-02', 'web-03', 'web-04'];
beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(() => {
  test.reset();
  test.users.set('UCID', {});
  test.fleet = fleetOf(
    names.map((name) => machine(name)),
    [
      { people: ['UANN'] },
      { people: ['UBEN'], verbs: ['view', 'check', 'cancel'] },
      { people: ['UCID'], machines: 'web-01,web-02', verbs: ['view', 'check', 'cancel'] },
      { people: ['UGUS'], verbs: ['view', 'check', 'cancel'] },
    ],
  );
});

function campaign(): Campaign {
  const [only, ...others] = test.requests.campaigns.values();
  if (only === undefined || others.length > 0) throw new Error('not one campaign');
  return only;
}
const machinesWithRuns = () => test.requests.stored.map(({ request }) => request.machine);

async function told(count = 1): Promise<string> {
  await vi.waitFor(() => expect(test.slack.responses).toHaveLength(count), { timeout: 10_000 });
  return String(test.slack.responses.at(-1)?.text);
}

/** A campaign of which the first wave is done and not ok. */
async function stopped(): Promise<Campaign> {
  await test.command('check web-* disk --wave 1,2,rest');
  const { id } = campaign();
  test.requests.campaigns.set(id, { ...campaign(), stopped: { wave: 0, at: 1, why: 'web-01: critical' } });
  return campaign();
}

describe('a campaign in waves', () => {
  it('hands in its first wave only', async () => {
    await test.command('check web-* disk --wave 1,50%,rest');
    expect(machinesWithRuns()).toEqual(['web-01']);
    expect(campaign()).toMatchObject({ machines: names, waves: [1, 3, 4], handedIn: 1 });
  });

  it.each([
    'ask web-* --wave=1,rest --at-once 2 is it --wave 1 well?',
    'ask web-* is it --wave 1 well? --at-once=2 --wave 1,rest',
    'ask web-* --at-once 2 is it --wave 1 well? --wave 1',
  ])('takes its flags from both ends: %s', async (text) => {
    await test.command(text);
    expect(campaign()).toMatchObject({
      task: { kind: 'ask', question: 'is it --wave 1 well?' },
      ...{ waves: [1, 4], atOnce: 2, handedIn: 1 },
    });
  });

  it.each([
    ['ask web-* "what is --wave 1,rest"', undefined],
    ['ask web-* --wave 2 "what is --wave 1,rest"', [2, 4]],
    ['ask web-* "what is --wave 1,rest" --wave 2', [2, 4]],
  ])('leaves a question in quotes every word: %s', async (text, waves) => {
    await test.command(text);
    expect(campaign().task).toEqual({ kind: 'ask', question: 'what is --wave 1,rest' });
    expect(campaign().waves).toEqual(waves);
  });

  it('hands in no more than may be at work at once', async () => {
    await test.command('check web-* disk --at-once 3');
    expect(machinesWithRuns()).toEqual(['web-01', 'web-02', 'web-03']);
    expect(campaign()).toMatchObject({ atOnce: 3, handedIn: 3 });
    expect(campaign().waves).toBeUndefined();
  });

  it.each([
    ['check web-* disk --wave', '`--wave` needs a value. Write for example `--wave 1,10%,rest`.'],
    ['check web-* disk --at-once', '`--at-once` needs a value. Write for example `--at-once 10`.'],
    ['check web-* disk --wave --at-once 2', '`--wave` needs a value'],
    ['check web-* disk --wave 1,0%', '`0%` is no wave'],
    ['check web-* disk --wave 1, 10%, rest', 'more than a check takes'],
    ['check web-* disk --wave 1,', 'without blanks'],
    ['check web-* disk --wave 1 --wave 2', 'there twice'],
    ['check web-* disk --at-once none', 'from 1 to 10000'],
    ['check web-* --wave 1', 'Which check of'],
  ])('is refused with what to type: %s', async (text, words) => {
    expect((await test.command(text)).text).toContain(words);
    expect(test.requests.stored).toEqual([]);
  });

  it('leaves out what is halted, and its record says so', async () => {
    test.fleet = fleetOf([...test.fleet.machines.values()], [{ people: ['UANN'], verbs: ['check', 'halt'] }]);
    await test.command('halt web-02 bad deploy');
    await test.command('check web-* disk --wave 2');
    expect(machinesWithRuns()).toEqual(['web-01', 'web-03']);
    expect(campaign().leftOut).toMatchObject([
      { machine: 'web-02', why: expect.stringContaining('bad deploy') },
    ]);
  });
});

describe('Continue', () => {
  const click = (id: string, user: string, wave = 0) =>
    test.click(continueActionId, id, user, campaignButtonsBlockId(id, wave));

  it('lets the next wave begin, once, and says who wanted it', async () => {
    const { id } = await stopped();
    await click(id, 'UBEN');
    expect(await told()).toContain('Continued: 3 machines follow');
    const by = { kind: 'person', userId: 'UBEN', teamId: 'T1' };
    expect(campaign()).toMatchObject({ continued: [{ wave: 0, by }] });
    expect(campaign().stopped).toBeUndefined();
    expect(test.requests.campaignEntries).toMatchObject([{ kind: 'campaign.continued', by, wave: 0 }]);
    await click(id, 'UANN');
    expect(await told(2)).toContain('does not wait for this any more');
    expect(campaign().continued).toHaveLength(1);
  });

  it('of a message that shows an earlier stop changes nothing', async () => {
    const { id } = await stopped();
    await click(id, 'UANN', 1);
    expect(await told()).toContain('does not wait for this any more');
    expect(campaign().stopped).toBeDefined();
  });

  it.each([
    ['UCID', 'on every machine that waits, and may not on: machines that you may not view'],
    ['UGUS', 'Guests of this workspace'],
    ['UNOBODY', ''],
  ])('is not for %s', async (user, words) => {
    const { id } = await stopped();
    await click(id, user);
    expect(await told()).toContain(words);
    expect(campaign().stopped).toBeDefined();
    expect(test.controls.counted.some((line) => line.startsWith('denied'))).toBe(true);
  });
});

describe('ending a campaign', () => {
  it('by its button keeps what waits from being handed in, and leaves what was begun as it is', async () => {
    const { id } = await stopped();
    const before = structuredClone(test.requests.stored);
    await test.click(endWavesActionId, id, 'UANN');
    expect(await told()).toContain('3 machines that waited will get no run');
    expect(campaign().ended).toMatchObject({ by: { userId: 'UANN' } });
    expect(test.requests.stored).toEqual(before);
    await test.click(endWavesActionId, id, 'UANN');
    expect(await told(2)).toContain('Nothing waits');
    expect(test.requests.campaignEntries).toHaveLength(1);
    expect((await test.command(`cancel ${id}`)).text).toContain('1 cancelled before they began');
  });

  it('by its button is not for who may not cancel on all machines that wait', async () => {
    const { id } = await stopped();
    await test.click(endWavesActionId, id, 'UCID');
    expect(await told()).toContain('What waits is not ended');
    expect(campaign().ended).toBeUndefined();
  });

  it('by its id keeps what waits from being handed in, and cancels the rest', async () => {
    const { id } = await stopped();
    expect((await test.command(`cancel ${id}`)).text).toContain('3 machines that waited will get no run');
    expect(campaign().ended).toMatchObject({ by: { userId: 'UANN' } });
    expect(test.requests.campaignEntries).toMatchObject([{ kind: 'campaign.ended', campaign: id }]);
    expect(test.requests.stored).toMatchObject([{ state: 'done', verdict: 'cancelled' }]);
    expect((await test.command(`cancel ${id}`)).text).toContain('Nothing to cancel');
  });

  it('cancels what was handed in at the last moment, too', async () => {
    const { id } = await stopped();
    const change = test.requests.changeCampaign.bind(test.requests);
    vi.spyOn(test.requests, 'changeCampaign').mockImplementationOnce((...args) => {
      test.requests.stored.push(...test.requests.stored.map((run) => ({ ...run, id: 'r-0000000000zz' })));
      return change(...args);
    });
    await test.command(`cancel ${id}`);
    expect(test.requests.stored).toMatchObject([{ verdict: 'cancelled' }, { verdict: 'cancelled' }]);
  });

  it('that somebody else ended at the same moment leaves it to them', async () => {
    const { id } = await stopped();
    const change = test.requests.changeCampaign.bind(test.requests);
    const ended = { by: { kind: 'person', userId: 'UBEN', teamId: 'T1' }, at: 1 } as const;
    vi.spyOn(test.requests, 'changeCampaign').mockImplementationOnce((...args) => {
      test.requests.campaigns.set(id, { ...campaign(), ended });
      return change(...args);
    });
    await test.command(`cancel ${id}`);
    expect(campaign().ended).toEqual(ended);
    expect(test.requests.campaignEntries).toEqual([]);
  });

  it('is possible where no run is left, and is refused after that', async () => {
    const { id } = await stopped();
    for (const [index, run] of test.requests.stored.entries()) {
      test.requests.stored[index] = { ...run, state: 'done', verdict: 'critical' };
    }
    expect((await test.command(`cancel ${id}`)).text).toContain('Ended: 3 machines');
    await test.click(continueActionId, id, 'UANN', campaignButtonsBlockId(id, 0));
    expect(await told()).toContain('does not wait for this any more');
  });

  it('by somebody who may not cancel on all machines that wait cancels only runs', async () => {
    const { id } = await stopped();
    const { text } = await test.command(`cancel ${id}`, { user: 'UCID' });
    expect(text).toContain('What waits is not ended');
    expect(text).toContain('1 cancelled before they began');
    expect(campaign().ended).toBeUndefined();
  });
});
