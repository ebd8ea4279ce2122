import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { takeActionId } from '../../src/bot/action-ids.ts';
import type { HandOver } from '../../src/fleet/hand-over.ts';
import { sampleHandOver } from '../support/sample-hand-over.ts';
import { BotUnderTest, eventually, fleetOf, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
const id = 'o-00000000aaaa';
const people = ['UEVA', 'ULEA', 'UAPP', 'UVIEW', 'UNONE'];

beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(() => {
  test.reset();
  for (const user of people) test.users.set(user, {});
  test.groups.set('SLEADS', ['ULEA']);
  test.fleet = fleetOf(
    [machine('web-01')],
    [
      { people: ['UAPP'], verbs: ['view', 'approve'] },
      { people: ['UVIEW', 'UGUS'], verbs: ['view'] },
    ],
  );
  handOver({});
});

/** An escalation to UEVA, the channel C1, a pager and the group SLEADS is on its way. */
function handOver(changes: Partial<HandOver>): void {
  const targets = ['UEVA', 'C1', 'pager:primary', 'SLEADS'];
  test.controls.handOvers.add(sampleHandOver({ targets, ...changes }));
}

function stored(): HandOver | undefined {
  return test.controls.handOvers.stored.get(id);
}

/** What the person is told who clicked. */
async function click(user: string, value = id, channel?: string): Promise<string> {
  const before = test.slack.responses.length;
  expect(await test.click(takeActionId, value, user, 'b', channel)).toEqual({ status: 200, text: '' });
  await eventually(() => expect(test.slack.responses.length).toBe(before + 1));
  return JSON.stringify(test.slack.responses.at(-1));
}

describe('“I have it”', () => {
  it.each([
    ['is called by name', 'UEVA'],
    ['is in a user group that is called', 'ULEA'],
    ['may approve on the machine', 'UAPP'],
  ])('of somebody who %s ends the calls, and stands in the ledger', async (_why, user) => {
    expect(await click(user, id, 'C0ELSE')).toContain('You have it. Nobody else is called.');
    const by = { kind: 'person', userId: user, teamId: 'T1' };
    expect(stored()).toMatchObject({ state: 'taken', takenBy: { by, at: test.now } });
    expect(stored()).not.toHaveProperty('nextAt');
    expect(test.controls.handOvers.entries).toEqual([
      { kind: 'hand-over.taken', at: test.now, by, handOver: id, machine: 'web-01' },
    ]);
  });

  it('counts in the channel that was called for whoever may view the machine, and nowhere else', async () => {
    expect(await click('UVIEW', id, 'C0ELSE')).toContain('You may not take this');
    expect(await click('UNONE', id, 'C1')).toContain('You may not take this');
    expect(stored()?.takenBy).toBeUndefined();
    expect(await click('UVIEW', id, 'C1')).toContain('You have it');
  });

  it.each(['UGUS', 'UBOT', 'UOLD', 'USTRANGER'])('never counts of %s, whom Slack excludes', async (user) => {
    handOver({ targets: [user, 'C1'] });
    const told = await click(user, id, 'C1');
    expect(told).not.toContain('You have it');
    expect(told).not.toContain('You may not take this');
    expect(stored()?.takenBy).toBeUndefined();
    expect(test.controls.counted).toContain('denied take');
  });

  it('asks Slack at the click who is in a group: whoever left it may not', async () => {
    test.groups.set('SLEADS', []);
    expect(await click('ULEA')).toContain('You may not take this');
    test.groups.delete('SLEADS');
    expect(await click('ULEA')).toContain('Slack could not be asked who is in user group SLEADS');
    expect(stored()?.takenBy).toBeUndefined();
  });

  it('of several at once is the first one’s, and the others are told whose', async () => {
    const answers = await Promise.all(
      ['UEVA', 'ULEA', 'UAPP'].map((user) => test.click(takeActionId, id, user)),
    );
    expect(answers).toHaveLength(3);
    await eventually(() => expect(test.slack.responses).toHaveLength(3));
    const told = test.slack.responses.map((response) => JSON.stringify(response));
    const holder = stored()?.takenBy?.by.userId;
    expect(told.filter((each) => each.includes('You have it'))).toHaveLength(1);
    const late = told.filter((each) => each.includes('Too late: somebody has it already.'));
    expect(late).toHaveLength(2);
    for (const each of late) expect(each).toContain(`<@${holder}> has it* since`);
    expect(test.controls.handOvers.entries).toHaveLength(1);
  });

  it('twice by the same person is once', async () => {
    await click('UEVA');
    expect(await click('UEVA')).toContain('You have it');
    expect(test.controls.handOvers.entries).toHaveLength(1);
  });

  it('also counts when everybody was called already', async () => {
    handOver({ state: 'nobody' });
    expect(await click('UEVA')).toContain('You have it');
    expect(stored()?.state).toBe('taken');
  });

  it('counts for whoever is called of a machine that left the fleet file', async () => {
    test.fleet = fleetOf([], [{ people: ['UAPP'], verbs: ['view', 'approve'] }]);
    expect(await click('UAPP')).toContain('You may not take this');
    expect(await click('UEVA')).toContain('You have it');
  });

  it('of what is no longer known, or while the store is away, does nothing and says so', async () => {
    expect(await click('UEVA', 'o-00000000zzzz')).toContain('no longer known');
    expect(await click('UEVA', 'o-1; rm')).toContain('carries nothing that fleetbot knows');
    test.controls.handOvers.away = true;
    expect(await click('UEVA')).not.toContain('You have it');
  });
});
