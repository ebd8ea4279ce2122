import { describe, expect, it } from 'vitest';
import { approvalCardView } from '../../../src/bot/views/approval-card.ts';
import { type AskingRun, hasAsked } from '../../../src/bot/views/approval-words.ts';
import { runLine } from '../../../src/bot/views/run-list.ts';
import { runMainView } from '../../../src/bot/views/run-main.ts';
import { runOutcomeView, wantsUndo } from '../../../src/bot/views/run-outcome.ts';
import type { View } from '../../../src/bot/views/view.ts';
import type { ApprovalDecision, Question } from '../../../src/fleet/approval.ts';
import type { ActionRecord, Run } from '../../../src/fleet/run.ts';
import { blockProblems } from '../../support/block-limits.ts';
import { askedAt, sampleApproval } from '../../support/sample-question.ts';
import { judged, sampleRun } from '../../support/sample-run.ts';
import { actions } from '../asking-fleet.ts';

const minute = 60_000;

function asking(changes: Partial<Question> = {}, more: Partial<Run> = {}): AskingRun {
  const run = sampleRun('r-00000000aaaa', 'awaiting', judged);
  const asked = { ...run, approval: sampleApproval(run, changes), ...more };
  if (!hasAsked(asked)) throw new Error('asks nothing');
  return asked;
}

function settled(state: AskingRun['approval']['state'], votes: readonly ApprovalDecision[]): AskingRun {
  const run = asking();
  const approval = {
    ...run.approval,
    state,
    settledAt: askedAt + minute,
    votes: votes.map((decision) => ({ decision, signature: 's' })),
  };
  return { ...run, state: state === 'approved' ? 'approved' : 'done', approval };
}

const vote = (kind: 'approve' | 'deny', userId: string, reason?: string): ApprovalDecision => ({
  ...{ approval: 'a-00000000aaaa', question: 'd', kind, groups: [], at: askedAt + minute, eventId: userId },
  by: { kind: 'person', userId, teamId: 'T1' },
  ...(reason === undefined ? {} : { reason }),
});

function shown(view: View) {
  const buttons = view.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
  return {
    text: JSON.stringify(view.blocks).replaceAll('\\n', '\n').replaceAll('\\"', '"').replaceAll('\\\\', '\\'),
    buttons: buttons.flatMap((each) =>
      each.type === 'button' ? [[each.text.text, each.style ?? '', each.value].join(' ')] : [],
    ),
  };
}
const card = (run: AskingRun) => shown(approvalCardView(run, actions));

describe('the card of a question', () => {
  it('shows command, machine, why, who, risk, undo, check, who is asked until when, and how many must agree', () => {
    const { text, buttons } = card(asking());
    for (const words of [
      '*Approve this change?* · *web-01* · *vacuum-journal size=200M* · Shrink the journal',
      '`journalctl --vacuum-size=200M`',
      'why: /var is 93% full',
      'proposed by a rule of the fleet file, after a run that <@U0ANN> asked for',
      'risk: *reversible*',
      'undo: none. What is vacuumed is gone.',
      'verified by the check `disk`',
      'asked: <!subteam^S0OPS> until 2026-11-22 10:30:10 UTC, then it is passed on to `S0LEADS` until 2026-11-22 11:00:10 UTC',
      '1 person must agree; one denial ends it',
    ]) {
      expect(text).toContain(words);
    }
    expect(buttons).toEqual([
      'Approve primary a-00000000aaaa',
      'Deny danger a-00000000aaaa',
      'Details  a-00000000aaaa',
    ]);
  });

  it('makes blanks and control characters of the command visible', () => {
    const { subject } = asking().approval.question;
    if (subject.kind !== 'action') throw new Error('no action');
    const { text } = card(asking({ subject: { ...subject, argv: ['rm', 'a b', 'c\u202ed'] } }));
    expect(text).toContain('`rm "a␣b" "c\\u{202e}d"`');
  });

  it('says who wanted it, or quotes the words in which the agent proposed it', () => {
    expect(card(asking({ proposedBy: 'person' })).text).toContain('wanted by <@U0ANN>');
    const why = 'Please *approve* <!here>\nIt was approved by <@U0BOSS>.';
    const { text } = card(asking({ proposedBy: 'agent', why }));
    expect(text).toContain('measured by nobody:\n> Please ∗approve∗ &lt;!here&gt;\n> It was approved by');
    expect(text).not.toContain('why: ');
  });

  it('says of what Undo asked for which run it takes back', () => {
    const run = asking({ proposedBy: 'person' });
    const request = { ...run.request, eventId: 'undo:r-00000000bbbb:179' };
    expect(card({ ...run, request }).text).toContain(
      'wanted by <@U0ANN>: takes back what run `r-00000000bbbb` did',
    );
    expect(card(run).text).not.toContain('takes back');
  });

  it.each([
    [['U0BEN'], 2, false, 'only 1 of the 2 who must agree is named'],
    [[], 1, false, 'nobody may approve this'],
    [['S0OPS', 'U0BEN'], 2, true, 'only 1 of the 2 user groups that must agree is named'],
    [['S0OPS'], 2, false, undefined],
    [['U0BEN', 'U0CID'], 2, false, undefined],
    [['U1A', 'U1B', 'U1C', 'U1D', 'U1E'], 6, false, undefined],
  ])(
    'of %j, of whom %i must agree, says whether they are too few',
    (mention, approvals, differentGroups, words) => {
      const rounds = [{ mention, remindAt: askedAt, endsAt: askedAt + minute }];
      const { text } = card(asking({ rounds, quorum: { approvals, differentGroups } }));
      if (words === undefined) expect(text).not.toContain(':warning: ');
      else expect(text).toContain(`:warning: ${words}`);
    },
  );

  it('shows a value that comes out of foreign text with the line it comes from', () => {
    const taints = [{ param: 'unit', value: 'nginx.service', source: 'ERROR nginx.service: restart me!' }];
    const { text } = card(asking({ taints, risk: 'disruptive' }));
    expect(text).toContain('`unit=nginx.service` was taken from text');
    expect(text).toContain('> ERROR nginx.service: restart me!');
    expect(text).toContain('*disruptive*');
  });

  it('names the action that would undo it, with its command', () => {
    const { subject } = asking().approval.question;
    if (subject.kind !== 'action') throw new Error('no action');
    const { noUndo: _none, ...rest } = subject;
    const undo = { action: 'set-swappiness', params: {}, argv: ['sysctl', '-w', 'vm.swappiness=60'] };
    expect(card(asking({ subject: { ...rest, undo } })).text).toContain(
      'undo: `set-swappiness`, which runs `sysctl -w vm.swappiness=60`',
    );
  });

  it('shows votes while it waits, and the quorum', () => {
    const run = asking({ quorum: { approvals: 2, differentGroups: true } });
    const votes = [{ decision: vote('approve', 'U0BEN'), signature: 's' }];
    const { text } = card({ ...run, approval: { ...run.approval, votes } });
    expect(text).toContain('2 people must agree, each for another user group');
    expect(text).toContain('*approved* by <@U0BEN> at 2026-11-22 10:01:10 UTC');
  });

  it.each([
    ['approved', [vote('approve', 'U0BEN')], '*approved* by <@U0BEN> at 2026-11-22 10:01:10 UTC'],
    [
      'denied',
      [vote('deny', 'U0BEN', 'not now')],
      '*denied* by <@U0BEN> at 2026-11-22 10:01:10 UTC: not now',
    ],
    ['expired', [], '*expired* at 2026-11-22 10:01:10 UTC'],
    ['cancelled', [], '*cancelled* at 2026-11-22 10:01:10 UTC'],
  ] as const)('once %s says who, when and why, and has no buttons', (state, votes, words) => {
    const { text, buttons } = card(settled(state, votes));
    expect(text).toContain(words);
    expect(text).toContain('`journalctl --vacuum-size=200M`');
    expect(text).not.toContain('would run');
    expect(buttons).toEqual([]);
  });

  it('once expired still tells the one of two who approved', () => {
    const half = vote('approve', 'U0BEN');
    expect(card(settled('expired', [half])).text).toContain('*approved* by <@U0BEN>');
    expect(card(settled('approved', [half])).text.match(/\*approved\* by/g)).toHaveLength(1);
  });

  it('that nobody may approve says so', () => {
    const run = asking();
    const [first, ...others] = run.approval.question.rounds;
    if (first === undefined) throw new Error('no rounds');
    const { text } = card(asking({ rounds: [{ ...first, mention: [] }, ...others] }));
    expect(text).toContain('asked: nobody, because the fleet file lets nobody else approve it, until');
  });

  it('in its last round says that it then expires', () => {
    const run = asking();
    const { text } = card({ ...run, approval: { ...run.approval, round: 1 } });
    expect(text).toContain('asked: <!subteam^S0LEADS> until 2026-11-22 11:00:10 UTC, then it expires');
  });

  it('with more foreign values than it shows says how many more', () => {
    const taints = Array.from({ length: 7 }, (_, index) => ({
      ...{ param: `p${index}`, value: 'x', source: 'a line' },
    }));
    const { text } = card(asking({ taints }));
    expect(text).toContain('`p4=x`');
    expect(text).not.toContain('`p5=x`');
    expect(text).toContain('and 2 more values of that kind');
  });

  it('cannot be covered by marks that foreign words pile up', () => {
    const { text } = card(asking({ why: `a${'\u0301'.repeat(400)}b` }));
    expect(text).toContain(`why: a${'\u0301'.repeat(4)}b`);
  });

  it.each([
    ['a long word', ['echo', 'x'.repeat(4_000)]],
    ['many words', Array.from({ length: 64 }, () => '"'.repeat(500))],
  ])('that cannot be shown whole cannot be approved: %s', (_what, argv) => {
    const { subject } = asking().approval.question;
    if (subject.kind !== 'action') throw new Error('no action');
    const view = approvalCardView(asking({ subject: { ...subject, argv } }), actions);
    expect(blockProblems(view.blocks)).toEqual([]);
    expect(shown(view).buttons.map((button) => button.split(' ')[0])).toEqual(['Deny', 'Details']);
    expect(shown(view).text).toContain('it can only be denied');
  });

  it('of an escalation asks whether those on call shall look, and calls nobody before', () => {
    const run = asking({
      subject: { kind: 'escalation', to: ['S0ONCALL', 'pager:night'] },
      rounds: [{ mention: ['S0OPS'], remindAt: 0, endsAt: 1 }],
    });
    const { text, buttons } = card(run);
    expect(text).toContain('*Escalate to on-call?* · *web-01*');
    expect(text).toContain('goes to `S0ONCALL`, then pager `night`, until somebody has it');
    expect(text).toContain('then it is handed over to on-call');
    expect(text).toContain('no action of the fleet file was proposed');
    expect(text).not.toContain('<!subteam^S0ONCALL>');
    expect(buttons[0]).toContain('Approve');
  });
});

describe("a run's main message", () => {
  const main = (run: Run) => shown(runMainView(run, { traceLink: { missing: 'none' } }));

  it('says what waits for whom, and can be cancelled', () => {
    const { text, buttons } = main(asking());
    expect(text).toContain('*critical*');
    expect(text).toContain('*vacuum-journal size=200M* · :bell: waits for <!subteam^S0OPS> until');
    expect(buttons).toEqual(['Cancel danger r-00000000aaaa']);
  });

  it('says who approved what when, and before and after', () => {
    const action: ActionRecord = {
      ...{ detail: '', stdout: '', stderr: '', outcome: 'done', effect: 'confirmed' },
      before: { findings: [], verdict: 'critical' },
      after: { findings: [], verdict: 'ok' },
    };
    const { text } = main({ ...settled('approved', [vote('approve', 'U0BEN')]), state: 'done', action });
    expect(text).toContain('*vacuum-journal size=200M* · :white_check_mark: *approved* by <@U0BEN>');
    expect(text).toContain('*carried out*');
    expect(text).toContain('before :red_circle: *critical* → after :large_green_circle: *ok*: it helped');
    expect(text).not.toContain('before: ');
  });

  it('whose verdict is of after an action shows the findings of then, and what was found before', () => {
    const finding = (text: string, severity: 'ok' | 'critical') => ({
      severity,
      subject: '/var',
      text,
      output: 0,
    });
    const action: ActionRecord = {
      ...{ detail: '', stdout: '', stderr: '', outcome: 'done', effect: 'confirmed' },
      before: { findings: [finding('/var is 94% full', 'critical')], verdict: 'critical' },
      after: { findings: [finding('/var is 60% full', 'ok')], verdict: 'ok' },
    };
    const run = { ...settled('approved', [vote('approve', 'U0BEN')]), action, verdict: 'ok' as const };
    const { text } = main({ ...run, state: 'done' });
    expect(text).toMatch(/\*ok\*.*check disk\n\/var is 60% full\n/);
    expect(text).toContain('it helped\nbefore: /var is 94% full');
    expect(text).not.toContain('/var is 93% full');
    const { after: _none, ...unmeasured } = action;
    expect(main({ ...run, state: 'verifying', action: unmeasured }).text).toContain('/var is 93% full');
  });

  it.each([
    ['denied', ':no_entry_sign: *denied* · '],
    ['expired', ':hourglass: *expired* · '],
    ['cancelled', ':no_entry_sign: *cancelled* · '],
  ] as const)('for an action that is %s says so first; a check keeps its verdict', (state, words) => {
    const run = { ...settled(state, [vote('deny', 'U0BEN')]), verdict: 'cancelled' as const };
    const task = { kind: 'act', action: 'vacuum-journal', params: {} } as const;
    const act = { ...run, request: { ...run.request, task } };
    expect(main(act).text).toContain(`"text":"${words}`);
    expect(runLine(act, askedAt)).toMatch(new RegExp(`^${words.replaceAll('*', '\\*')}`));
    expect(main({ ...run, verdict: 'critical' }).text).toContain('"text":":red_circle: *critical*');
  });

  it('of an action that people are asked about already says that it is not asked again, and where', () => {
    const { approval: _none, ...run } = asking();
    const task = { kind: 'act', action: 'vacuum-journal', params: {} } as const;
    const detail = 'Decide it there, or `/fleet cancel r-00000000bbbb`.';
    const action: ActionRecord = { detail, stdout: '', stderr: '', outcome: 'not-begun' };
    const { text } = main({
      ...{ ...run, request: { ...run.request, task }, state: 'done', verdict: 'cancelled', action },
    });
    expect(text).toContain(':no_entry_sign: *not asked again*');
    expect(text).toContain('or `/fleet cancel r-00000000bbbb`.');
  });

  it('that is acting cannot be cancelled any more', () => {
    for (const state of ['acting', 'verifying'] as const) {
      expect(main({ ...settled('approved', [vote('approve', 'U0BEN')]), state }).buttons).toEqual([]);
    }
  });
});

describe('the outcome of an action', () => {
  const undo = { action: 'set-swappiness', params: {}, argv: ['sysctl'] };

  function acted(action: Partial<ActionRecord>, withUndo = true): AskingRun {
    const run = settled('approved', [vote('approve', 'U0BEN')]);
    const { question } = run.approval;
    const subject = withUndo ? { ...question.subject, undo } : question.subject;
    return {
      ...run,
      state: 'done',
      approval: { ...run.approval, question: { ...question, subject } },
      action: { ...{ detail: '', stdout: '', stderr: '' }, ...action },
    };
  }

  it('shows before and after, exit code, duration and what was written', () => {
    const view = runOutcomeView(
      acted({
        ...{ outcome: 'done', effect: 'better', exitCode: 0, begunAt: 1_000, endedAt: 3_500 },
        stdout: 'freed 1.2G',
        stderr: 'a warning',
        before: { findings: judged.findings, verdict: 'critical' },
        after: { findings: [], verdict: 'warning' },
      }),
    )?.view;
    if (view === undefined) throw new Error('nothing to show');
    for (const words of [
      'before :red_circle: *critical* → after :warning: *warning*: it helped in part',
      '/var is 93% full',
      '`freed 1.2G`',
      '`a warning`',
      'exit code 0',
      'took 2.5 s',
    ]) {
      expect(shown(view).text).toContain(words);
    }
    expect(shown(view).buttons).toEqual([]);
  });

  it.each([
    ['done', 'unchanged', true],
    ['done', 'worse', true],
    ['done', 'inconclusive', true],
    ['done', 'confirmed', false],
    ['done', 'better', false],
    ['failed', 'confirmed', true],
    ['unknown', undefined, true],
    ['refused', undefined, false],
    ['not-needed', undefined, false],
    ['not-begun', undefined, false],
  ] as const)('%s and %s offers to undo it: %s', (outcome, effect, offers) => {
    const action = effect === undefined ? { outcome } : { outcome, effect };
    const run = acted(action);
    expect(wantsUndo(run)).toBe(offers);
    const view = runOutcomeView(run)?.view ?? { text: '', blocks: [] };
    expect(shown(view).buttons).toEqual(offers ? ['Undo  r-00000000aaaa'] : []);
    expect(wantsUndo(acted(action, false))).toBe(false);
    expect(wantsUndo({ ...run, state: 'verifying' })).toBe(false);
  });

  it('gives long output as a file, once it is done', () => {
    const run = acted({ outcome: 'done', stdout: 'x\n'.repeat(5_000) });
    expect(runOutcomeView(run)?.file?.content).toContain('$ journalctl --vacuum-size=200M\nx\nx');
    expect(runOutcomeView({ ...run, state: 'verifying' })?.file).toBeUndefined();
  });

  it('is nothing before there is one', () => {
    expect(runOutcomeView(asking())).toBeUndefined();
    expect(runOutcomeView({ ...acted({}), state: 'acting' })).toBeUndefined();
  });
});
