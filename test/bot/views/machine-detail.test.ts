import { expect, it } from 'vitest';
import { machineDetailView } from '../../../src/bot/views/machine-detail.ts';
import type { Run } from '../../../src/fleet/run.ts';
import { spentBy, sumOf } from '../../../src/fleet/spending.ts';
import { acceptedAt, sampleRun } from '../../support/sample-run.ts';
import { machine } from '../bot-under-test.ts';

const dayMs = 24 * 3_600_000;

/** A check of some days ago that found /var so full. */
function checked(daysAgo: number, verdict: Run['verdict'], usedPercent: number, check = 'disk'): Run {
  const run = sampleRun(`r-${check}-${daysAgo}`, 'done', {
    verdict,
    findings: [
      { severity: 'ok', subject: '/', text: '/', output: 0, measure: { value: 99, unit: '%' } },
      {
        ...({ severity: 'warning', subject: '/var', text: '/var', output: 0 } as const),
        measure: { value: usedPercent, unit: '%' },
      },
    ],
  });
  const at = acceptedAt - daysAgo * dayMs;
  return { ...run, request: { ...run.request, acceptedAt: at, task: { kind: 'check', check } } };
}

function shown(trend: readonly Run[], more: { usd?: number; untold?: boolean } = {}): string {
  const spent = [
    ...(more.usd === undefined
      ? []
      : [spentBy({ usage: { inputTokens: 1, outputTokens: 1 }, costUsd: more.usd })]),
    ...(more.untold === true ? [spentBy({})] : []),
  ];
  const view = machineDetailView(
    machine('web-01'),
    { name: 'web-01', fence: 1, waiting: 0 },
    trend,
    acceptedAt,
    {
      ...{ actions: new Map(), halted: undefined, usedUp: [], trend },
      costs: [{ days: 7, spent: sumOf(spent) }],
    },
  );
  return JSON.stringify(view);
}

it('shows how each check went, oldest first, and its main number then and now', () => {
  const text = shown([
    checked(0, 'critical', 92),
    checked(1, 'warning', 81.25),
    checked(2, 'ok', 61),
    checked(2, 'ok', 10, 'memory'),
    sampleRun('r-now', 'gathering'),
  ]);
  expect(text).toContain(
    '• `disk` :large_green_square::large_orange_square::large_red_square: /var: 61% at 2026-11-20 10:00 → 92%',
  );
  // One verdict is no trend.
  expect(text).not.toContain('`memory` :');
});

it('shows what its agent cost lately, and that more may have been spent', () => {
  expect(shown([])).not.toContain('cost of its agent');
  expect(shown([], { usd: 1.5 })).toContain('cost of its agent: $1.50 in 7 days (1 activation)');
  expect(shown([], { usd: 1.5, untold: true })).toContain('at least $1.50 in 7 days (2 activations)');
});
