import { describe, expect, it } from 'vitest';
import { haltMainView } from '../../../src/bot/views/halt-main.ts';
import { runMainView } from '../../../src/bot/views/run-main.ts';
import type { Halt, HaltMember } from '../../../src/fleet/halt.ts';
import { blockProblems } from '../../support/block-limits.ts';
import { haltMember, sampleHalt } from '../../support/sample-halt.ts';
import { sampleRun } from '../../support/sample-run.ts';
import { machine } from '../bot-under-test.ts';

const ben = { kind: 'person', userId: 'U0BEN', teamId: 'T0TEAM' } as const;
const cid = { ...ben, userId: 'U0CID' };
const at = Date.parse('2026-11-22T11:00:00Z');

/** The message of a halt over these machines; all of them are in the fleet file but those that are `gone`. */
function show(
  members: Readonly<Record<string, HaltMember>>,
  changes: Partial<Halt> = {},
  gone: string[] = [],
) {
  const names = Object.keys(members).filter((name) => !gone.includes(name));
  const { view, file } = haltMainView(
    sampleHalt(changes),
    new Map(Object.entries(members)),
    new Map(names.map((name) => [name, machine(name)])),
  );
  const buttons = view.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
  return {
    view,
    file,
    id: view.blocks[0]?.block_id,
    text: JSON.stringify(view.blocks),
    buttons: buttons.flatMap((each) => (each.type === 'button' ? [[each.text.text, each.value]] : [])),
  };
}

describe("a halt's message", () => {
  it('says who halted what and why, and how far it is', () => {
    const { text, id, buttons } = show({ 'web-01': haltMember('inactive'), 'web-02': haltMember('pending') });
    expect(id).toBe('halt:h-000000000001:main');
    expect(text).toContain('*Halting*: `all` (2 machines) by <@U0ANN>: the agents misbehave');
    expect(text).toContain('confirmed inactive and locked: 1 of 2 · 1 not told yet');
    expect(text).not.toContain('last one confirmed');
    expect(buttons).toEqual([['Resume', 'h-000000000001']]);
  });

  it('says when the last machine was confirmed', () => {
    const { text } = show({ 'web-01': haltMember('inactive') });
    expect(text).toContain('*Halted*: `all` (1 machine)');
    expect(text).toContain('last one confirmed at 2026-11-22 10:00:03 UTC, after 3.0 s');
  });

  it('names what fails, what is left to end and what is unreachable, with why', () => {
    const { text } = show({
      'web-01': haltMember('inactive'),
      'web-02': haltMember('failed', 'the unit does not stop'),
      'web-03': haltMember('ending', 'action restart-db'),
      'web-04': haltMember('unreachable'),
    });
    expect(text).toContain('*Halted, 1 FAILED, 1 unreachable, 1 still ending*');
    expect(text).toContain('*web-02* failed: the unit does not stop');
    expect(text).toContain('*web-03* ending: action restart-db');
    expect(text).toContain('unreachable: `web-04`');
    expect(text).toContain('1 unreachable, locked when they come back');
  });

  it('stays within the limits of Slack with 2,000 unreachable machines, and brings a file once all were tried', () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `a-machine-with-a-rather-long-name-${index}`);
    const members = Object.fromEntries(names.map((name) => [name, haltMember('unreachable', 'no answer')]));
    const tried = show(members);
    expect(blockProblems(tried.view.blocks)).toEqual([]);
    expect(tried.text).toMatch(/and 1,\d{3} more machines: the file below names all/);
    for (const name of names) expect(tried.file?.content).toContain(`${name}: unreachable: no answer`);
    const trying = show({ ...members, 'web-01': haltMember('pending') });
    expect(trying.file).toBeUndefined();
    expect(trying.text).not.toContain('the file below');
  });

  it('brings no file of machines that are about to be unlocked', () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `a-machine-with-a-rather-long-name-${index}`);
    const members = Object.fromEntries(names.map((name) => [name, haltMember('unreachable')]));
    const { view, file, text } = show(members, { releases: [{ selector: 'all', by: ben, at }] });
    expect(blockProblems(view.blocks)).toEqual([]);
    expect(text).toMatch(/and 1,\d{3} more machines"/);
    expect(file).toBeUndefined();
  });

  it('names a selector of many machines only in part', () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `web-${index}`);
    const { view } = show({ 'web-1': haltMember('inactive') }, { selector: names.join(',') });
    expect(blockProblems(view.blocks)).toEqual([]);
  });

  it('shows who wants to resume and that another one must agree', () => {
    const { text, buttons } = show(
      { 'web-01': haltMember('inactive') },
      { resumeWish: { selector: 'web-*', by: ben, at } },
    );
    expect(text).toContain('<@U0BEN> wants to resume `web-*` (asked at 2026-11-22 11:00:00 UTC)');
    expect(text).toContain('another person who may resume must agree within 30 min');
    expect(buttons.map(([label]) => label)).toEqual(['Agree to resume', 'Resume']);
    expect(buttons.map(([, value]) => value)).toEqual(['h-000000000001', 'h-000000000001']);
  });

  it('follows the resume until every machine is unlocked', () => {
    const releases = [{ selector: 'all', by: ben, agreedBy: cid, at }];
    const half = show({ 'web-01': haltMember('unlocked'), 'web-02': haltMember('inactive') }, { releases });
    expect(half.text).toContain('*Resuming*');
    expect(half.text).toContain('<@U0BEN> resumed `all` at 2026-11-22 11:00:00 UTC, <@U0CID> agreed');
    expect(half.text).toContain('unlocked: 1 of 2 · 1 still to unlock');
    expect(half.text).not.toContain('`web-02`');
    expect(half.buttons).toEqual([]);
    const away = show({ 'web-02': haltMember('unreachable', 'no answer') }, { releases });
    expect(away.text).toContain('*web-02* still to unlock: no answer');
    const whole = show({ 'web-01': haltMember('unlocked') }, { releases });
    expect(whole.text).toContain('*Resumed*');
  });

  it('still holds for what was not resumed', () => {
    const releases = [{ selector: 'web-01', by: ben, at }];
    const { text, buttons } = show(
      { 'web-01': haltMember('unlocked'), 'web-02': haltMember('inactive') },
      { releases },
    );
    expect(text).toContain('*Halted*');
    expect(text).toContain('confirmed inactive and locked: 1 of 1');
    expect(text).toContain('unlocked: 1 of 1');
    expect(buttons).toHaveLength(1);
  });

  it('counts machines that left the fleet file apart: nothing more is heard of them', () => {
    const { text } = show({ 'web-01': haltMember('inactive'), old: haltMember('pending') }, {}, ['old']);
    expect(text).toContain('*Halted*: `all` (1 machine)');
    expect(text).toContain('1 more left the fleet file since');
  });

  it('is not called resumed where its machines only left the fleet file', () => {
    const { text, buttons } = show({ old: haltMember('inactive') }, {}, ['old']);
    expect(text).not.toContain('Resumed');
    expect(text).toContain('*Holds for no machine any more*');
    expect(text).toContain('what was locked there stays locked');
    expect(buttons).toEqual([]);
  });

  it('counts machines whose labels changed apart: nobody resumed them', () => {
    const { text } = show({ 'web-01': haltMember('inactive') }, { selector: 'role=database' });
    expect(text).not.toContain('Resum');
    expect(text).toContain('1 more left the fleet file since, or changed labels');
  });

  it('names machines that something else kept locked when they were resumed', () => {
    const releases = [{ selector: 'all', by: ben, at }];
    const detail = 'It stays locked by other means: halt --direct by ops@desk: fire';
    const { text } = show(
      { 'web-01': haltMember('unlocked', detail), 'web-02': haltMember('unlocked') },
      { releases },
    );
    expect(text).toContain('*Resumed, but 1 stayed locked*');
    expect(text).toContain('unlocked: 1 of 2 · 1 locked by something else');
    expect(text).toContain('*web-01* resumed, but stayed locked: It stays locked by other means');
  });
});

it('a run that a halt ended says so', () => {
  const cancellation = { userId: 'U0ANN', at, halt: 'h-000000000001' };
  const run = sampleRun('r-7', 'done', { cancellation, verdict: 'cancelled' });
  const text = JSON.stringify(runMainView(run, { traceLink: { missing: '' } }).blocks);
  expect(text).toContain('cancelled by the halt `h-000000000001` of <@U0ANN> at 2026-11-22 11:00:00 UTC');
});
