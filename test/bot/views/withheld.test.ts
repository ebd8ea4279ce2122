import { expect, it } from 'vitest';
import { runMainView } from '../../../src/bot/views/run-main.ts';
import type { Run, Withheld } from '../../../src/fleet/run.ts';
import { judged, sampleRun } from '../../support/sample-run.ts';

const by = { kind: 'person', userId: 'U0BEN', teamId: 'T1' } as const;
const reason = 'silenced until 2026-11-23 06:00:00 UTC: new kernel';

/** What a run's message says first, as lines. */
function said(withheld: Withheld, changes: Partial<Run> = {}): readonly string[] {
  const run = sampleRun('r-7', 'done', { verdict: 'cancelled', withheld, ...changes });
  const [head] = runMainView(run, { traceLink: { missing: '' } }).blocks;
  return head?.type === 'section' ? (head.text?.text ?? '').split('\n') : [];
}

it('a run that a silence held back says that it was not begun, until when and by whom', () => {
  expect(said({ moment: 'run', kind: 'silenced', reason, by })).toEqual([
    ':mute: *not begun* · *web-01* · check disk',
    `${reason} · by <@U0BEN>`,
  ]);
});

it('a run whose alert was over before it began says so', () => {
  const over = 'the alerts that asked for it are resolved';
  expect(said({ moment: 'run', kind: 'resolved', reason: over })).toEqual([
    ':white_check_mark: *not begun* · *web-01* · check disk',
    over,
  ]);
});

it('a run about which nobody was asked says why, beside its verdict', () => {
  const lines = said({ moment: 'escalation', kind: 'silenced', reason }, judged);
  expect(lines[0]).toContain(':red_circle: *critical*');
  expect(lines.at(-1)).toBe(`:mute: nobody was asked: ${reason}`);
});

it('a run whose agent a budget held back keeps its verdict and says why; a question is cancelled', () => {
  const usedUp = 'the budget web is used up: $10.02 of $10.00 on 2026-11-23';
  const withheld = { moment: 'agent', kind: 'over-budget', reason: usedUp } as const;
  const lines = said(withheld, judged);
  expect(lines[0]).toContain(':red_circle: *critical*');
  expect(lines.at(-1)).toBe(`:moneybag: the agent was not started: ${usedUp}`);
  expect(said(withheld)[0]).toContain(':no_entry_sign: *cancelled*');
});

it('an approved action that a silence held back says once why it never began', () => {
  const detail = `web-01 is ${reason}`;
  const action = { outcome: 'not-begun', detail, stdout: '', stderr: '' } as const;
  const lines = said({ moment: 'action', kind: 'silenced', reason, by }, { ...judged, action });
  expect(lines.filter((line) => line.includes('new kernel'))).toEqual([detail]);
});
