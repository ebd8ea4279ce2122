import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Run } from '../../../src/fleet/run.ts';
import { eventually } from '../parts/eventually.ts';
import { type ActingFleet, startActingFleet } from './parts/acting-fleet.ts';
import { approvers, requester } from './parts/people.ts';
import type { Question } from './parts/question.ts';
import {
  breakService,
  fillJournal,
  furnishSite,
  journalSize,
  repair,
  service,
  settings,
  siteEntry,
  siteRules,
} from './parts/site.ts';

const name = 'edge-01';
const [sam = ''] = approvers;

let fleet: ActingFleet;

beforeAll(async () => {
  fleet = await startActingFleet([{ name, entry: siteEntry }], siteRules);
  await furnishSite(fleet.machine(name));
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

/** Five people click Approve at once: one of them decides, and the others are told who did, and when. */
async function approvedByOneOfFive(question: Question): Promise<string> {
  await question.click(approvers, 'approve');
  const { approval } = await eventually(async () => {
    const run = await question.run();
    expect(run.approval?.state).toBe('approved');
    return run;
  });
  const [decider = '', ...others] = approval?.votes.map(({ decision }) => decision.by.userId) ?? [];
  expect(others).toEqual([]);
  for (const late of approvers.filter((id) => id !== decider)) {
    await eventually(async () => {
      const told = await question.told(late);
      expect(told).toMatch(new RegExp(`<@${decider}> at .*\\d\\d:\\d\\d`));
    });
  }
  return decider;
}

/** What ledger, trace and the machine's own journal hold of an action that was carried out. */
async function expectRecorded(run: Run, decider: string): Promise<void> {
  const entries = await fleet.entriesOf(run.id);
  const kinds = entries.map(({ kind }) => kind);
  const once = [
    'approval.asked',
    'approval.decided',
    'approval.settled',
    'action.began',
    'action.ended',
    'run.done',
  ];
  for (const kind of once) expect(kinds.filter((each) => each === kind)).toEqual([kind]);
  expect(kinds).toContain('capsule.signed');
  expect(entries.find(({ kind }) => kind === 'approval.decided')).toMatchObject({ by: { userId: decider } });

  const spans = await fleet.spansOf(run);
  const spanNames = spans.map((span) => span.name);
  for (const span of ['approval', 'action', 'action.sign', 'action.verify'])
    expect(spanNames).toContain(span);

  const subject = run.approval?.question.subject;
  const digest = subject?.kind === 'action' ? subject.digest : '';
  const told = await fleet
    .machine(name)
    .run(['journalctl', '-o', 'json', `FLEETBOT_APPROVAL=${run.approval?.question.id}`]);
  expect(told).toContain(`"FLEETBOT_DIGEST":"${digest}"`);
  expect(told).toContain(`"FLEETBOT_APPROVED_BY":"${decider}"`);
  await fleet.expectInert(name);
}

describe('what people approve is done on a real machine', () => {
  it('a journal that grew too large is vacuumed', async () => {
    const machine = fleet.machine(name);
    await fillJournal(machine);
    const before = await journalSize(machine);
    expect(before).toBeGreaterThan(40);
    const question = await fleet.ask(`check ${name} journal-size`);
    const card = await question.asked();
    expect(card).toContain('vacuum-journal size=8M');
    expect(card).toContain('journalctl --rotate --vacuum-size=8M');
    expect(card).toMatch(/\*disruptive\*/);
    expect(card).toMatch(/why: .*MiB/);
    expect(card).toContain('What was removed is gone.');
    expect(card).toContain(
      `proposed by a rule of the fleet file, after a run that <@${requester}> asked for`,
    );
    const decider = await approvedByOneOfFive(question);
    const ended = await question.ended();
    expect(ended.run).toMatchObject({ verdict: 'ok', action: { outcome: 'done', effect: 'confirmed' } });
    expect(ended.outcome).toMatch(/before .*\*critical\* → after .*\*ok\*: it helped/);
    expect(ended.outcome).toContain('exit code 0');
    expect(ended.card).toContain(`*approved* by <@${decider}> at`);
    expect(await journalSize(machine)).toBeLessThan(before / 2);
    await expectRecorded(ended.run, decider);
  });

  it('a service that failed is restarted; its name came from the machine, so the risk is one worse', async () => {
    const machine = fleet.machine(name);
    await breakService(machine);
    const question = await fleet.ask(`check ${name} services`);
    const card = await question.asked();
    expect(card).toContain(`systemctl restart ${service}`);
    expect(card).toMatch(/risk: \*disruptive\*/);
    expect(card).toContain(`unit=${service}`);
    expect(card).toMatch(/was taken from text that a machine or a model wrote/);
    expect(card).toMatch(new RegExp(`^> .*${service} is failed`, 'm'));
    await repair(machine);
    const decider = await approvedByOneOfFive(question);
    const { run, outcome } = await question.ended();
    expect(run).toMatchObject({ verdict: 'ok', action: { outcome: 'done', effect: 'confirmed' } });
    expect(outcome).toMatch(/before .*\*critical\* → after .*\*ok\*/);
    expect(await machine.run(['systemctl', 'is-active', service])).toBe('active\n');
    await expectRecorded(run, decider);
  });

  it('a line of a file is changed, and changed back by the button Undo', async () => {
    const file = fleet.machine(name).path(settings);
    const before = readFileSync(file, 'utf8');
    const question = await fleet.ask(`run ${name} set-level level=debug`);
    expect(await question.asked()).toContain('sed --in-place "s/^level␣=␣.*/level␣=␣debug/"');
    const decider = await approvedByOneOfFive(question);
    const { run, outcome } = await question.ended();
    expect(readFileSync(file, 'utf8')).toBe(before.replace('info', 'debug'));
    expect(run).toMatchObject({ action: { outcome: 'done', effect: 'worse' } });
    expect(outcome).toContain('[Undo]');
    await expectRecorded(run, decider);

    const back = await question.undo(requester);
    expect(await back.asked()).toContain('"s/^level␣=␣.*/level␣=␣info/"');
    await approvedByOneOfFive(back);
    expect((await back.ended()).run).toMatchObject({
      verdict: 'ok',
      action: { outcome: 'done', effect: 'confirmed' },
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('what destroys wants two people, however many click', async () => {
    const question = await fleet.ask(`run ${name} wipe-readings`);
    expect(await question.asked()).toContain('2 people must agree');
    await question.click([requester], 'approve');
    await eventually(async () => {
      expect(await question.told(requester)).toContain('nobody approves their own');
    });
    await question.click([sam], 'approve');
    await eventually(async () => expect((await question.run()).approval?.votes).toHaveLength(1));
    await question.click([sam], 'approve');
    await eventually(async () => {
      expect(await question.told(sam)).toContain('already');
    });
    expect(await question.run()).toMatchObject({ state: 'awaiting' });
    await question.click(
      approvers.filter((id) => id !== sam),
      'approve',
    );
    const { run } = await question.ended();
    expect(run.approval?.votes.map(({ decision }) => decision.by.userId)).toHaveLength(2);
    expect(run.action?.outcome).toBe('done');
    expect((await fleet.entriesOf(run.id)).find(({ kind }) => kind === 'action.began')).toMatchObject({
      approvedBy: expect.arrayContaining([sam]),
    });
  });
});
