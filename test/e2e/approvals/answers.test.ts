import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonActionId, reasonBlockId } from '../../../src/bot/views/reason-modal.ts';
import { eventually } from '../parts/eventually.ts';
import { type ActingFleet, startActingFleet } from './parts/acting-fleet.ts';
import { approvers, onCall, requester } from './parts/people.ts';
import { furnishSite, overheat, siteEntry, siteRules } from './parts/site.ts';
import { Window } from './parts/window.ts';

const name = 'edge-01';
const [sam = '', bea = ''] = approvers;

let fleet: ActingFleet;

beforeAll(async () => {
  fleet = await startActingFleet([{ name, entry: siteEntry }], siteRules);
  await furnishSite(fleet.machine(name));
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

describe('people who are asked', () => {
  it('see in a dry run what would be asked and who might, and nothing is asked', async () => {
    const told = await fleet.roles.sre.askAside(`run ${name} set-level level=debug --dry-run`);
    expect(told).toContain('Dry run: nothing was asked for');
    expect(told).toContain('sed --in-place "s/^level␣=␣.*/level␣=␣debug/"');
    expect(told).toMatch(/would be asked: .*1 person must agree/);
    expect(told).toContain('May you ask for it?');
    expect(await fleet.roles.sre.records()).toEqual([]);
  });

  it('deny with a reason, which everybody can read', async () => {
    const question = await fleet.ask(`run ${name} set-level level=debug`);
    await question.asked();
    await question.click([sam], 'deny');
    const window = new Window(fleet.roles.slackUrl);
    const id = (await question.run()).approval?.question.id;
    await eventually(async () => expect(await window.carries()).toBe(id));
    await window.submit(
      sam,
      { blockId: reasonBlockId, actionId: reasonActionId },
      'not on a Friday, password=hunter2hunter2',
    );
    const { run, card } = await question.ended();
    expect(run).toMatchObject({ verdict: 'cancelled', approval: { state: 'denied' } });
    expect(run.action).toBeUndefined();
    expect(card).toMatch(new RegExp(`\\*denied\\* by <@${sam}> at .*: not on a Friday`));
    expect(JSON.stringify(run)).not.toContain('hunter2hunter2');
    const decided = (await fleet.entriesOf(run.id)).find(({ kind }) => kind === 'approval.decided');
    expect(decided).toMatchObject({ decision: 'deny', reason: expect.stringContaining('not on a Friday') });
    await question.click([bea], 'approve');
    await eventually(async () => {
      const told = await question.told(bea);
      expect(told).toMatch(new RegExp(`Too late.*\\n.*by <@${sam}> at .*: not on a Friday`));
    });
  });

  it('are listed what waits for them', async () => {
    const question = await fleet.ask(`run ${name} set-level level=debug`);
    await question.asked();
    expect(await fleet.roles.sre.askAside('approvals')).toContain('set-level level=debug');
    await fleet.roles.sre.answer(question.runId).click('cancel');
    expect((await question.ended()).run).toMatchObject({
      verdict: 'cancelled',
      approval: { state: 'cancelled' },
    });
  });

  it('learn rule by rule why they may or may not', async () => {
    const why = (person: string) => fleet.roles.sre.askAside(`why <@${person}> approve ${name} set-level`);
    expect(await why(sam)).toMatch(new RegExp(`Line \\d+ applies: .*\n.*So ${sam} may approve ${name}`));
    expect(await why(onCall)).toContain(`${onCall} may not approve ${name}`);
  });

  it('approve nothing on a machine that is halted', async () => {
    const question = await fleet.ask(`run ${name} set-level level=debug`);
    await question.asked();
    await fleet.roles.sre.tell(`halt ${name} a drill`, /halt/i);
    await eventually(async () => expect((await fleet.status(name)).lock).not.toBeNull());
    await question.click([sam], 'approve');
    await eventually(async () => {
      expect(await question.told(sam)).toContain('nothing is done on a machine that is halted');
    });
    expect(await question.run()).toMatchObject({ state: 'awaiting', approval: { votes: [] } });
    await fleet.roles.sre.tell(`resume ${name}`, /resume/i);
    await eventually(async () => expect((await fleet.status(name)).lock).toBeNull());
    await fleet.roles.sre.answer(question.runId).click('cancel');
    await question.ended();
  });

  it('escalate a critical finding for which there is no action', async () => {
    overheat(fleet.machine(name));
    const question = await fleet.ask(`check ${name} temperature`);
    expect(await question.asked()).toContain('Escalate to on-call?');
    await question.click([sam], 'approve');
    const { run } = await question.ended();
    expect(run).toMatchObject({ verdict: 'critical', approval: { state: 'approved' } });
    await question.says(new RegExp(`Escalated to <@${onCall}>: .*71 °C`));
    await fleet.expectInert(name);
  });

  it('are reminded; then others are asked; then it expires and says so', async () => {
    await fleet.askPeople({ expireMinutes: 0.1, remindMinutes: 0.05, passOn: [bea] });
    const question = await fleet.ask(`run ${name} set-level level=debug`);
    const { run, card } = await question.ended();
    expect(run).toMatchObject({ verdict: 'cancelled', approval: { state: 'expired', round: 1 } });
    expect(run.action).toBeUndefined();
    expect(card).toContain('*expired*');
    await question.says(new RegExp(`:alarm_clock: .*<@${sam}>.* still to decide`));
    await question.says(new RegExp(`:arrow_right: Nobody decided in time, so it is passed on to <@${bea}>`));
    const kinds = (await fleet.entriesOf(run.id)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'approval.passed-on')).toHaveLength(1);
    expect((await fleet.spansOf(run)).map((span) => span.name)).toContain('approval');
    expect(run.request.requester).toMatchObject({ userId: requester });
  });
});
