import { expect, it } from 'vitest';
import { askedMembers } from '../../../src/bot/publisher/approval-parts.ts';
import type { Parts, Standing } from '../../../src/bot/publisher/part.ts';
import { campaignParts } from '../../../src/bot/publisher/parts.ts';
import type { Campaign } from '../../../src/fleet/campaign.ts';
import type { Run } from '../../../src/fleet/run.ts';
import { noDetails, sampleCampaign } from '../../support/sample-run.ts';
import { asking } from '../asking-fleet.ts';

const askedAt = 1_800_000_000_000;
const names = Array.from({ length: 300 }, (_, index) => `web-${index}`);
const idOf = (index: number) => `r-${String(index).padStart(12, '0')}`;

/** A run of the campaign that waits for people, reminded of it, or expired. */
function question(index: number, ends: 'waits' | 'expired' = 'waits'): Run {
  const run = asking(askedAt, {}, idOf(index));
  if (run.approval === undefined) throw new Error('asks nothing');
  const request = { ...run.request, machine: names[index] ?? '', campaign: 'c-1' };
  return ends === 'waits'
    ? { ...run, request, approval: { ...run.approval, reminded: true } }
    : { ...run, request, state: 'done', approval: { ...run.approval, state: 'expired', settledAt: askedAt } };
}

async function partsOf(
  runs: readonly Run[],
  standing: Standing = {},
  changes: Partial<Campaign> = {},
): Promise<Parts> {
  const campaign = { ...sampleCampaign('c-1', names), ...changes };
  const members = runs.map(({ id, state, request: { machine } }) => ({
    ...{ machine, runId: id, state, verdict: 'critical', inertnessUnknown: false, alike: '' },
  }));
  return campaignParts({ campaign, members }, standing, {
    ...{ ...noDetails, linkTo: () => ({ missing: '' }), catalogue: new Map() },
    loadRuns: async (ids) => runs.filter(({ id }) => ids.includes(id)),
  });
}

/** As if these cards were posted, one after the other. */
const cardsOf = (indexes: readonly number[]): Standing =>
  Object.fromEntries(indexes.map((index, at) => [`${idOf(index)}:approval`, { intended: at }]));
const mentionsPeople = (part: unknown) => /<@|<!subteam/.test(JSON.stringify(part));
const cards = ({ thread }: Parts) => thread.filter(({ name }) => name.endsWith(':approval'));

it('of 300 questions at once the first few call people, the others stand as cards without mentions', async () => {
  const parts = await partsOf(names.map((_name, index) => question(index)));
  expect(cards(parts)).toHaveLength(300);
  const mentioning = cards(parts).filter(mentionsPeople);
  expect(mentioning).toHaveLength(5);
  expect(mentioning.every(({ priority }) => priority === 'decision')).toBe(true);
  const silent = cards(parts).filter((part) => !mentionsPeople(part));
  expect(silent.every(({ priority }) => priority === 'verdict')).toBe(true);
  expect(JSON.stringify(silent)).toContain('Approve');
  const calls = parts.thread.filter(({ name }) => name.includes(':reminder'));
  expect(calls.map(({ name }) => name.split(':')[0])).toEqual([0, 1, 2, 3, 4].map(idOf));
  expect(JSON.stringify(parts.main)).toContain(
    '300 wait for people to decide; for 295 of them nobody is mentioned',
  );
});

it('once those are decided, the next ones call people', async () => {
  const runs = names.map((_name, index) => question(index, index < 100 ? 'expired' : 'waits'));
  const standing = cardsOf(names.map((_name, index) => index));
  const waiting = cards(await partsOf(runs, standing)).slice(100);
  expect(waiting.filter(mentionsPeople).map(({ name }) => name.split(':')[0])).toEqual(
    [100, 101, 102, 103, 104].map(idOf),
  );
});

it('a machine that asks later takes the mention from none whose card stands', () => {
  const members = [0, 1, 2, 3, 4, 5, 6].map((index) => ({
    ...{ machine: names[index] ?? '', runId: idOf(index), state: 'awaiting' as const },
    ...{ inertnessUnknown: false, alike: '' },
  }));
  const asked = askedMembers(members, cardsOf([2, 3, 4, 5, 6]));
  expect(asked.filter(({ mentions }) => mentions).map(({ runId }) => runId)).toEqual(
    [2, 3, 4, 5, 6].map(idOf),
  );
});

it('when all of them expire, few messages say so', async () => {
  const runs = names.map((_name, index) => question(index, 'expired'));
  const parts = await partsOf(runs, cardsOf(names.map((_name, index) => index)));
  expect(parts.thread.filter(({ name }) => name.endsWith(':expired'))).toHaveLength(5);
});

it('the files of one that is over are made until they stand', async () => {
  const runs = names.map((_name, index) => question(index, 'expired'));
  const files = async (standing: Standing) =>
    (await partsOf(runs, standing)).thread
      .map(({ name }) => name)
      .filter((name) => name.startsWith('file:machines'));
  const posted = { intended: 1, posted: { channel: 'C1', ts: '1.1', digest: '' } };
  const [csv, json] = ['file:machines:csv', 'file:machines:json'];
  expect(await files({ [csv]: posted })).toEqual([csv, json]);
  expect(await files({ [csv]: posted, [json]: posted })).toEqual([]);
});

it('only what a person asked for gets files', async () => {
  const runs = names.map((_name, index) => question(index, 'expired'));
  const filesFor = async (requester: Campaign['requester']) =>
    (await partsOf(runs, {}, { requester })).thread.filter(({ name }) => name.startsWith('file:'));
  expect(await filesFor({ kind: 'person', userId: 'UANN', teamId: 'T1' })).toHaveLength(2);
  expect(await filesFor({ kind: 'schedule', schedule: 'nightly' })).toEqual([]);
  expect(await filesFor({ kind: 'alert', incident: 'i-1' })).toEqual([]);
});
