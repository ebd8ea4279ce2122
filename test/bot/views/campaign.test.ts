import { describe, expect, it } from 'vitest';
import type { CampaignMember } from '../../../src/bot/ports.ts';
import { campaignFiles } from '../../../src/bot/views/campaign-files.ts';
import {
  campaignButtonsBlockId,
  campaignMainView,
  exampleRunIds,
} from '../../../src/bot/views/campaign-main.ts';
import { campaignStrip } from '../../../src/bot/views/campaign-strip.ts';
import { alikeOf } from '../../../src/fleet/alike.ts';
import type { Campaign } from '../../../src/fleet/campaign.ts';
import type { Run } from '../../../src/fleet/run.ts';
import { blockProblems } from '../../support/block-limits.ts';
import { sampleHalt } from '../../support/sample-halt.ts';
import { acceptedAt, diagnosed, noDetails, sampleCampaign, sampleRun } from '../../support/sample-run.ts';
import { machine } from '../bot-under-test.ts';

const by = { kind: 'person', userId: 'U0BEN', teamId: 'T0TEAM' } as const;

/** A run of the campaign on this machine. */
function run(name: string, changes: Partial<Run> = {}): Run {
  const { request, ...rest } = sampleRun(`r-${name}`, changes.verdict === undefined ? 'queued' : 'done');
  return { ...rest, request: { ...request, machine: name, campaign: 'c-1' }, ...changes };
}
const full = (percent: number): Partial<Run> => ({
  verdict: 'critical',
  findings: [
    { severity: 'critical', subject: '/var', text: `/var is ${percent}% full (limit 90%)`, output: 0 },
  ],
});
const ok: Partial<Run> = { verdict: 'ok', findings: [] };
const unreachable: Partial<Run> = {
  verdict: 'failed',
  failure: { code: 'unreachable', message: 'web-9 could not be reached' },
};

function memberOf(each: Run): CampaignMember {
  return {
    ...{ machine: each.request.machine, runId: each.id, state: each.state },
    ...(each.verdict && { verdict: each.verdict }),
    ...{ inertnessUnknown: each.inertness === 'unknown', alike: alikeOf(each) },
  };
}

/** The summary's text and problems with Slack's limits. */
function summary(
  runs: readonly Run[],
  changes: Partial<Campaign> = {},
  details: Partial<typeof noDetails> = {},
) {
  const campaign = {
    ...sampleCampaign(
      'c-1',
      runs.map(({ request }) => request.machine),
    ),
    ...changes,
  };
  const members = runs.map(memberOf);
  const ids = new Set(exampleRunIds(members));
  const examples = new Map(runs.filter(({ id }) => ids.has(id)).map((each) => [each.id, each]));
  const { blocks } = campaignMainView(campaign, members, { ...noDetails, examples, ...details });
  return { text: JSON.stringify(blocks), problems: blockProblems(blocks), examples: ids.size, blocks };
}

const names = (count: number, prefix = 'web') =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

describe('the summary of a campaign', () => {
  it('puts machines with the same answer together, and counts how many differ', () => {
    const runs = [
      ...names(37).map((name) => run(name, ok)),
      run('db-1', full(93)),
      run('db-2', full(97)),
      run('db-3', { ...full(95), verdict: 'warning' }),
    ];
    const { text, examples } = summary(runs);
    expect(text).toContain('37 alike, 3 differ');
    expect(text).toContain('*critical* × 2 · *db-1*, *db-2* · for example /var is 93% full');
    expect(text).toContain('*warning* · *db-3* · `r-db-3` · /var is 95% full');
    expect(text).not.toContain('*web-1*');
    expect(examples).toBe(2);
  });

  it('of a question tells each answer once', () => {
    const said = (comment: string): Partial<Run> => ({
      verdict: 'answered',
      diagnosis: { ...diagnosed.diagnosis, comment },
    });
    const { text } = summary([
      run('a', said('Kernel 5.14, up 3 days')),
      run('b', said('Kernel 6.12, up 9 days')),
      run('c', said('I cannot tell')),
    ]);
    expect(text).toContain('2 alike, 1 differ');
    expect(text).toContain('*answered* × 2 · *a*, *b* · for example Kernel 5.14');
    expect(text).toContain('I cannot tell');
  });

  it('lists those that could not be reached by their failure, and counts them not as differing', () => {
    const { text, examples } = summary([
      ...names(5).map((name) => run(name, ok)),
      ...names(3, 'far').map((name) => run(name, unreachable)),
    ]);
    expect(text).toContain('*failed* × 3 · *far-0*, *far-1*, *far-2* · unreachable');
    expect(text).toContain('all 5 alike');
    expect(examples).toBe(0);
  });

  it('tells a machine whose agent may still run once, as the alarm that it is', () => {
    const { text } = summary([run('web-1', { ...full(93), inertness: 'unknown' }), run('web-2', full(95))]);
    expect(text.split('*web-1*')).toHaveLength(2);
    expect(text.indexOf('*web-1*')).toBeLessThan(text.indexOf('*web-2*'));
  });

  it('tells which machines were left out and why, those with one reason together', () => {
    const leftOut = [
      { machine: 'a', why: 'no longer in the fleet file' },
      { machine: 'b', why: 'no longer in the fleet file' },
      { machine: 'c', why: 'silenced' },
    ];
    const { text } = summary([run('web-1', ok)], { leftOut });
    expect(text).toContain('left out: a, b · no longer in the fleet file');
    expect(text).toContain('left out: c · silenced');
  });

  it('names the halt that keeps machines from their turn', () => {
    const halted = new Map([[sampleHalt({ reason: 'bad deploy' }), [machine('web-1')]]]);
    const { text } = summary([run('web-1'), run('web-2', ok)], {}, { halted });
    expect(text).toContain('queued, but `web-1` is halted by');
    expect(text).toContain('bad deploy');
  });

  it('leads to the traces of its runs, where there are any', () => {
    const traceLink = { url: 'https://mlflow.example/#/c-1' };
    const link = expect.stringContaining(`"url":"${traceLink.url}"`);
    const stopped = { wave: 0, at: 1, why: 'x' };
    expect(summary([run('web-0', ok)], {}, { traceLink }).text).toEqual(link);
    expect(summary([run('web-0', ok)], { stopped }, { traceLink }).text).toEqual(link);
    expect(summary([], {}, { traceLink }).text).not.toEqual(link);
    expect(summary([run('web-0', ok)]).text).not.toContain('open-trace');
  });

  it('says which wave it is in and how many wait, and offers to continue one that stopped', () => {
    const all = { machines: names(10), waves: [1, 3, 10] };
    const going = summary([run('web-0', ok), run('web-1')], { ...all, handedIn: 3 });
    expect(going.text).toContain('1 of 9 machines done, 0 at work, 1 queued, 7 waiting');
    expect(going.text).toContain('wave 2 of 3: 2 machines');
    expect(going.text).not.toContain('Continue');

    const stopped = { wave: 0, at: 1, why: 'web-0: critical' };
    const { text, blocks } = summary([run('web-0', full(99))], { ...all, handedIn: 1, stopped });
    expect(text).toContain('*stopped after wave 1*, because not all of it was ok: web-0: critical');
    expect(text).toContain('9 machines wait until somebody continues');
    expect(blocks.map((block) => block.block_id)).toContain(campaignButtonsBlockId('c-1', 0));
    expect(text).toContain('End the rest');

    const ended = { by, at: acceptedAt };
    const over = summary([run('web-0', full(99))], { ...all, handedIn: 1, stopped, ended });
    expect(over.text).toContain('1 of 10 machines done, 9 not begun');
    expect(over.text).toContain(`:large_red_square:${':white_large_square:'.repeat(9)}\\n`);
    const asking = { state: 'awaiting', verdict: 'critical' } as const;
    expect(summary([run('web-0', asking)], { ...all, handedIn: 1, ended }).text).toContain(
      '0 of 10 machines done, 0 at work, 0 queued, 9 not begun',
    );
    expect(over.text).toContain('*ended* by <@U0BEN>');
    expect(over.text).toContain('9 machines got no run');
    expect(over.text).not.toContain('Continue');
  });

  it('tells the time left only once the pace means something', () => {
    const runs = names(100).map((name, index) => run(name, index < 20 ? ok : {}));
    const after = (seconds: number) => summary(runs, {}, { now: acceptedAt + seconds * 1_000 }).text;
    expect(after(60)).toContain('about 4 min left at this pace');
    const ten = names(100).map((name, index) => run(name, index < 10 ? ok : {}));
    expect(summary(ten, {}, { now: acceptedAt + 5_000 }).text).not.toContain('left at this pace');
    const asking = names(100).map((name, index) =>
      run(name, index < 20 ? ok : index < 60 ? { state: 'awaiting' } : {}),
    );
    expect(summary(asking, {}, { now: acceptedAt + 60_000 }).text).toContain('about 2 min left');
    expect(after(11)).toContain('about 1 min left');
    const few = names(100).map((name, index) => run(name, index < 4 ? ok : {}));
    expect(summary(few, {}, { now: acceptedAt + 60_000 }).text).not.toContain('left at this pace');
    const stopped = { wave: 0, at: 1, why: 'x' };
    expect(summary(runs, { stopped }, { now: acceptedAt + 60_000 }).text).not.toContain('left at this pace');
  });

  it('after somebody continued, the pace is the one since then', () => {
    const runs = names(40).map((name, index) => run(name, index < 20 ? ok : {}));
    const continued = [{ wave: 0, by, at: acceptedAt + 3_600_000 }];
    const campaign = { waves: [10, 40], continued };
    const { text } = summary(runs, campaign, { now: acceptedAt + 3_660_000 });
    expect(text).toContain('about 2 min left');
  });

  it('keeps Slack’s limits with a thousand machines, however they end', () => {
    const thousand = Array.from({ length: 1_000 }, (_, index) => `machine-with-a-rather-long-name-${index}`);
    const differing = thousand.map((name, index) =>
      run(name, {
        verdict: (['critical', 'warning', 'failed', 'inconclusive', 'answered'] as const)[index % 5] ?? 'ok',
        findings: [
          {
            severity: 'critical',
            subject: `/${name}/${'x'.repeat(index % 300)}`,
            text: 'y'.repeat(500),
            output: 0,
          },
        ],
        inertness: index % 3 === 0 ? 'unknown' : 'inactive',
      }),
    );
    const leftOut = thousand.map((name, index) => ({
      machine: name,
      why: `reason ${index % 40} ${'z'.repeat(400)}`,
    }));
    const stopped = { wave: 0, at: 1, why: 'w'.repeat(2_000) };
    const asking = thousand.map((name) => run(name, { state: 'awaiting', verdict: 'critical' }));
    for (const shown of [
      summary(thousand.map((name) => run(name))),
      summary(thousand.map((name) => run(name, ok))),
      summary(differing, {
        leftOut,
        stopped,
        waves: [1, 1_001],
        machines: [...thousand, 'last'],
        handedIn: 1_000,
      }),
      summary(asking, {}, { unmentioned: 995 }),
      summary([], { machines: [], leftOut }),
    ]) {
      expect(shown.problems).toEqual([]);
      expect(shown.examples).toBeLessThanOrEqual(10);
    }
    const { text } = summary(asking, {}, { unmentioned: 995 });
    expect(text).toContain('1000 wait for people to decide; for 995 of them nobody is mentioned');
    expect(text).toContain('`/fleet approvals` lists what you may decide');
  });
});

describe('the strip', () => {
  const cells = (strip: string) => strip.match(/:[a-z_]+:/g) ?? [];

  it('has a cell for each machine of a few, and twenty for many', () => {
    expect(
      cells(
        campaignStrip(
          new Map([
            ['ok', 2],
            ['critical', 1],
          ]),
        ),
      ),
    ).toEqual([...[':large_red_square:', ':large_green_square:', ':large_green_square:']]);
    expect(
      cells(
        campaignStrip(
          new Map([
            ['ok', 600],
            ['open', 400],
          ]),
        ),
      ),
    ).toHaveLength(20);
    expect(campaignStrip(new Map())).toBe('');
  });

  it('shows what is rare', () => {
    const strip = cells(
      campaignStrip(
        new Map([
          ['ok', 996],
          ['critical', 1],
          ['warning', 1],
          ['failed', 1],
          ['open', 1],
        ]),
      ),
    );
    expect(strip).toHaveLength(20);
    expect(new Set(strip).size).toBe(5);
  });
});

describe('the files of a campaign', () => {
  const runs = [run('web-0', full(93)), run('web-1', unreachable), run('web-2', ok)];
  const campaign: Campaign = {
    ...sampleCampaign('c-1', ['web-0', 'web-1', 'web-2', 'web-3']),
    leftOut: [{ machine: 'db-1', why: 'silenced' }],
    ended: { by, at: 1 },
  };

  it('hold every machine, with its run or the reason for none', () => {
    const { csv, json } = campaignFiles(campaign, runs);
    const read = JSON.parse(json.content);
    expect(read).toMatchObject({ campaign: 'c-1', task: 'check disk', selector: 'web-*' });
    expect(read.machines).toMatchObject([
      { machine: 'web-0', verdict: 'critical', run: 'r-web-0', findings: [{ subject: '/var' }] },
      { machine: 'web-1', failure: { code: 'unreachable' } },
      { machine: 'web-2', verdict: 'ok', acceptedAt: '2026-11-22T10:00:00.000Z' },
      { machine: 'web-3', whyNot: 'the campaign was ended by U0BEN' },
      { machine: 'db-1', whyNot: 'silenced' },
    ]);
    const lines = csv.content.split('\r\n');
    expect(lines[0]).toBe(
      'machine,verdict,run,findings,failure,inertness,acceptedAt,begunAt,doneAt,comment,contradictions,whyNot',
    );
    expect(lines[1]).toContain('"web-0","critical","r-web-0","critical /var is 93% full (limit 90%)"');
    expect(lines).toHaveLength(7);
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '＝1', '＋1', '－1', '＠1', '\tx'])(
    'hold no formula: %s',
    (text) => {
      const comment = `${text}","=2+2`;
      const [, line] = campaignFiles(campaign, [
        run('web-0', {
          ...ok,
          findings: [],
          failure: { code: text, message: '' },
          diagnosis: { ...diagnosed.diagnosis, comment },
        }),
      ]).csv.content.split('\r\n');
      expect(line).toContain(`"'${text}: "`);
      expect(line).toContain(`"'${text.trim()}"",""=2+2"`.replace('"\'x', '"x'));
    },
  );
});
