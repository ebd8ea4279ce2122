import { describe, expect, it } from 'vitest';
import type { CampaignMember } from '../../../src/bot/ports.ts';
import { type DigestRecord, digestMainView, toldInFull } from '../../../src/bot/views/digest-main.ts';
import type { LeftOut } from '../../../src/fleet/campaign.ts';
import type { Verdict } from '../../../src/fleet/finding.ts';
import type { Halt } from '../../../src/fleet/halt.ts';
import type { Machine } from '../../../src/fleet/machine.ts';
import type { Run } from '../../../src/fleet/run.ts';
import { sampleHalt } from '../../support/sample-halt.ts';
import { acceptedAt, diagnosed, judged, sampleCampaign, sampleRun } from '../../support/sample-run.ts';
import { machine } from '../bot-under-test.ts';

const dayMs = 24 * 3_600_000;

/** What a schedule brought, by machine; `leftOut` got no run. */
function record(
  verdicts: Readonly<Record<string, Verdict | 'awaiting' | undefined>>,
  { leftOut = [], daysLater = 0 }: { leftOut?: readonly LeftOut[]; daysLater?: number } = {},
): DigestRecord {
  const id = `c-${daysLater}`;
  const members = Object.entries(verdicts).map(([machine, verdict]): CampaignMember => {
    const runId = `r-${machine}`;
    if (verdict === undefined) return { machine, runId, state: 'queued', inertnessUnknown: false, alike: '' };
    const state = verdict === 'awaiting' ? 'awaiting' : 'done';
    const judgedAs = verdict === 'awaiting' ? 'critical' : verdict;
    return { machine, runId, state, verdict: judgedAs, inertnessUnknown: false, alike: judgedAs };
  });
  const campaign = {
    ...sampleCampaign(id, Object.keys(verdicts)),
    requester: { kind: 'schedule', schedule: 'nightly' } as const,
    acceptedAt: acceptedAt + daysLater * dayMs,
    ...(leftOut.length > 0 && { leftOut: [...leftOut] }),
  };
  return { campaign, members };
}

const problem = (machine: string): Run => {
  const run = sampleRun(`r-${machine}`, 'done', judged);
  return { ...run, request: { ...run.request, machine } };
};

const traceLink = { url: 'https://mlflow.example/#/c-1' };

function shown(
  now: DigestRecord,
  previous: DigestRecord | undefined,
  runs: readonly Run[] = [],
  halted: ReadonlyMap<Halt, readonly Machine[]> = new Map(),
): {
  readonly lines: readonly string[];
  readonly isQuiet: boolean;
  readonly text: string;
  readonly urls: readonly (string | undefined)[];
} {
  const view = digestMainView({ ...now, previous, runs, halted, traceLink });
  const isQuiet = view.blocks.length === 1;
  const urls = view.blocks.flatMap((block) =>
    block.type === 'actions' ? block.elements.map((each) => ('url' in each ? each.url : undefined)) : [],
  );
  const lines = view.blocks.flatMap((block) => {
    if (block.type === 'section') return block.text?.text.split('\n') ?? [];
    return block.type === 'context' ? [JSON.stringify(block.elements)] : [];
  });
  return { lines, isQuiet, text: view.text, urls };
}

describe('the digest of a schedule', () => {
  it('is one line where nothing changed and nothing is wrong', () => {
    const { lines, isQuiet, text } = shown(
      record({ a: 'ok', b: 'ok' }, { daysLater: 1 }),
      record({ a: 'ok', b: 'ok' }),
    );
    expect(lines).toEqual([
      '*nightly*: check disk on `web-*` · :large_green_circle: *ok* 2 · no change since 2026-11-22 10:00:00 UTC',
    ]);
    expect(isQuiet).toBe(true);
    expect(text).toBe('nightly: 2 machines, 0 not ok, no change');
  });

  it('tells what every machine was and is, those with the same change together, the worst first', () => {
    const before = record({ a: 'ok', b: 'ok', c: 'critical', d: 'ok', gone: 'ok' });
    const now = record({ a: 'warning', b: 'critical', c: 'ok', d: 'warning', e: 'ok' }, { daysLater: 1 });
    const { lines, isQuiet, text, urls } = shown(now, before);
    expect(isQuiet).toBe(false);
    expect(urls).toEqual([traceLink.url]);
    expect(text).toBe('nightly: 5 machines, 3 not ok, 6 changed');
    expect(lines.slice(2, 8)).toEqual([
      'changed since 2026-11-22 10:00:00 UTC:',
      ':large_green_circle: *ok* → :red_circle: *critical*: *b*',
      ':large_green_circle: *ok* → :warning: *warning*: *a*, *d*',
      ':red_circle: *critical* → :large_green_circle: *ok*: *c*',
      'not part of it → :large_green_circle: *ok*: *e*',
      ':large_green_circle: *ok* → not part of it: *gone*',
    ]);
  });

  it('tells problems in full also where they are the same as before', () => {
    const { lines } = shown(
      record({ a: 'critical', b: 'ok' }, { daysLater: 1 }),
      record({ a: 'critical', b: 'ok' }),
      [problem('a')],
    );
    expect(lines.slice(2, 5)).toEqual([
      'no change since 2026-11-22 10:00:00 UTC',
      ':red_circle: *critical* · *a* · `r-a`',
      '> /var is 93% full (limit 90%)',
    ]);
  });

  it('says the first time that there is nothing to compare with, and so for another task', () => {
    const other = record({ a: 'ok' });
    const memory = {
      ...other,
      campaign: { ...other.campaign, task: { kind: 'check', check: 'memory' } },
    } as const;
    for (const before of [undefined, memory]) {
      const { lines, text } = shown(record({ a: 'ok' }, { daysLater: 1 }), before);
      expect(lines).toContain('nothing to compare with yet');
      expect(text).toBe('nightly: 1 machine, 0 not ok');
    }
  });

  it('says that what came before is not kept any more', () => {
    const now = record({ a: 'ok' }, { daysLater: 31 });
    const { lines, isQuiet } = shown({ ...now, campaign: { ...now.campaign, previous: 'c-0' } }, undefined);
    expect(lines).toContain('what came before is not kept any more');
    expect(isQuiet).toBe(false);
  });

  it('names the halt that keeps machines from their turn', () => {
    const halted = new Map([[sampleHalt({ reason: 'bad deploy' }), [machine('b')]]]);
    const now = record({ a: 'ok', b: undefined }, { daysLater: 1 });
    const { lines, isQuiet } = shown(now, record({ a: 'ok', b: 'ok' }), [], halted);
    expect(lines.join('\n')).toContain('queued, but `b` is halted by');
    expect(isQuiet).toBe(false);
  });

  it('names machines that were left out, with the reason, once', () => {
    const leftOut = [{ machine: 'b', why: 'halted since noon: fire (h-1)' }];
    const first = record({ a: 'ok' }, { leftOut, daysLater: 1 });
    const { lines } = shown(first, record({ a: 'ok', b: 'ok' }));
    expect(lines).toContain(':large_green_circle: *ok* → left out: *b*');
    expect(lines.join('\n')).toContain('left out: b · halted since noon: fire (h-1)');
    expect(shown(record({ a: 'ok' }, { leftOut, daysLater: 2 }), first).isQuiet).toBe(true);
  });

  it('says that nobody was asked, and why', () => {
    const leftOut = [{ machine: 'a', why: 'whoever set it up may not check it now' }];
    const { lines } = shown(record({}, { leftOut, daysLater: 1 }), record({ a: 'ok' }));
    expect(lines[1]).toBe('No machine was asked.');
    expect(lines.join('\n')).toContain('left out: a · whoever set it up may not check it now');
  });

  it('tells what is still to come where it stands because people are asked', () => {
    const { lines } = shown(
      record({ a: 'awaiting', b: undefined }, { daysLater: 1 }),
      record({ a: 'ok', b: 'ok' }),
    );
    expect(lines).toContain(':bell: waits for people to decide: 1');
    expect(lines).toContain(':hourglass_flowing_sand: 1 not done yet');
    expect(lines.join('\n')).not.toContain('*b*');
  });

  it('tells the answers where a question was asked, also where they are as before', () => {
    const asked = (daysLater: number): DigestRecord => {
      const { campaign, members } = record({ a: 'answered' }, { daysLater });
      return { campaign: { ...campaign, task: { kind: 'ask', question: 'What changed?' } }, members };
    };
    expect(toldInFull(asked(1)).map(({ runId }) => runId)).toEqual(['r-a']);
    const run = problem('a');
    const answered: Run = {
      ...{ ...run, ...diagnosed, findings: [], verdict: 'answered' },
      request: { ...run.request, task: { kind: 'ask', question: 'What changed?' } },
    };
    const { lines, isQuiet } = shown(asked(1), asked(0), [answered]);
    expect(isQuiet).toBe(false);
    expect(lines).toContain('> Old kernels fill /var.');
  });
});
