import { describe, expect, it } from 'vitest';
import type { CampaignMember } from '../../../src/bot/ports.ts';
import { type PeerFindings, peerFindingsView } from '../../../src/bot/views/peer-findings.ts';
import { runMainView } from '../../../src/bot/views/run-main.ts';
import type { Campaign } from '../../../src/fleet/campaign.ts';
import { peerAnswer } from '../../../src/fleet/peer-answer.ts';
import type { Run } from '../../../src/fleet/run.ts';
import { askedRun, kernelFinding, kernelRun } from '../../fleet/peer-fixtures.ts';
import { blockProblems } from '../../support/block-limits.ts';
import { sampleCampaign } from '../../support/sample-run.ts';

const by = { machine: 'web-01', hops: 1 };
const asking = kernelRun('r-first', 'web-01');

/** A peer's run that is done. */
function peer(machine: string, changes: Partial<Run> = {}): Run {
  return { ...askedRun(`r-${machine}`, machine, by), state: 'done', ...changes };
}

const well: Partial<Run> = { findings: [{ ...kernelFinding, severity: 'ok' }], verdict: 'ok' };
const away: Partial<Run> = {
  ...{ findings: [], verdict: 'inconclusive' },
  failure: { code: 'unreachable', message: 'db-01 cannot be reached.' },
};
const withFinding = (changes: Partial<Run['findings'][number]>): Partial<Run> => ({
  findings: [{ ...kernelFinding, ...changes }],
});

const memberOf = ({ id, state, verdict, inertness, request }: Run): CampaignMember => ({
  ...{ machine: request.machine, runId: id, state, alike: '' },
  ...(verdict !== undefined && { verdict }),
  inertnessUnknown: inertness === 'unknown',
});

function found(runs: readonly Run[], changes: Partial<PeerFindings & Campaign> = {}): PeerFindings {
  const campaign: Campaign = {
    ...sampleCampaign(
      'c-peers',
      runs.map(({ request }) => request.machine),
    ),
    requester: asked().request.requester,
    ...(changes.leftOut && { leftOut: changes.leftOut }),
  };
  return { campaign, members: runs.map(memberOf), asking, runs, ...changes };
}

const asked = () => askedRun('r-x', 'web-02', by);
const textOf = (findings: PeerFindings) => {
  const { blocks } = peerFindingsView(findings);
  expect(blockProblems(blocks)).toEqual([]);
  return JSON.stringify(blocks);
};

describe('the report that joins what peers found', () => {
  it('says what was found first, and of each peer what it answered', () => {
    const text = textOf(
      found([peer('web-02'), peer('web-03', well), peer('db-01', away)], {
        leftOut: [{ machine: 'old-01', why: 'silenced until tomorrow' }],
      }),
    );
    expect(text).toContain(`*web-01* found: ${kernelFinding.text.replaceAll('"', '\\"')}`);
    expect(text).toContain(
      'Of the 4 asked: *web-02* has the same, *web-03* does not, *db-01* could not be checked, *old-01* could not be asked.',
    );
    expect(text).toContain('db-01 cannot be reached.');
    expect(text).toContain('`r-web-02`');
    expect(text).not.toContain('r-web-03');
    expect(text).toContain('*old-01* was not asked: silenced until tomorrow');
    expect(text).toContain('all have answered');
    expect(text).toContain('the supervisor of *web-01*');
  });

  it('is one sentence for those with the same answer, and names no more than people read', () => {
    const names = Array.from({ length: 200 }, (_, index) => `web-${index}`);
    const text = textOf(found(names.map((name) => peer(name, well))));
    expect(text).toMatch(/Of the 200 asked: \*web-0\*, .*\*web-9\* and 190 more do not\./);
    expect(textOf(found([peer('a'), peer('b')]))).toContain('*a* and *b* have the same.');
  });

  it('keeps the limits of Slack, however many find however much', () => {
    const text = 'kernel <&> `reports` *something* '.repeat(40);
    const findings = Array.from({ length: 30 }, () => ({ ...kernelFinding, text }));
    const names = Array.from({ length: 200 }, (_, index) => `${'x'.repeat(55)}-${index}`);
    expect(textOf(found(names.map((name) => peer(name, { findings }))))).toContain('more');
  });

  it('tells how far it is, and that nobody could be asked', () => {
    const waiting = peer('web-03', { state: 'queued', findings: [] });
    delete waiting.verdict;
    const text = textOf(found([peer('web-02'), waiting]));
    expect(text).toContain('*web-02* has the same, *web-03* has not answered yet');
    expect(text).toContain('1 of 2 are done');
    expect(textOf(found([], { leftOut: [{ machine: 'a', why: 'halted' }] }))).toContain('nobody is asked');
  });

  it('says why a peer did not look', () => {
    const withheld = { moment: 'run', kind: 'silenced', reason: 'silenced until noon' } as const;
    const text = textOf(found([peer('web-02', { findings: [], verdict: 'cancelled', withheld })]));
    expect(text).toContain('*web-02* could not be checked');
    expect(text).toContain('silenced until noon');
  });

  it('shows a peer whose agent may still run, whatever it found', () => {
    expect(textOf(found([peer('web-02', { ...well, inertness: 'unknown' })]))).toContain('INERTNESS UNKNOWN');
  });

  it('says what is left where records are not kept any more', () => {
    const runs = [peer('web-02')];
    expect(textOf({ ...found(runs), asking: undefined })).toContain('*web-01* found something');
    expect(textOf({ ...found(runs), runs: [] })).toContain('*web-02* could not be checked');
  });
});

describe('what a peer answers', () => {
  const answer = (changes: Partial<Run>) => peerAnswer(asking, peer('web-02', changes));

  it('is the same where only numbers and names differ', () => {
    expect(answer(withFinding({ text: kernelFinding.text.replace('3', '17') }))).toBe('same');
    const named = { ...kernelFinding, text: 'web-01 has trouble' };
    const first = { ...asking, findings: [named] };
    expect(peerAnswer(first, peer('db-02', withFinding({ text: 'db-02 has trouble' })))).toBe('same');
  });

  it('is the same also where the one that asked was cured since', () => {
    const after = { findings: [], verdict: 'ok' as const };
    const action = { outcome: 'done' as const, detail: 'Done.', stdout: '', stderr: '', after };
    const cured: Run = { ...asking, action };
    expect(peerAnswer(cured, peer('web-02'))).toBe('same');
    expect(textOf({ ...found([peer('web-02')]), asking: cured })).toContain(
      '*web-01* found: kernel warnings',
    );
  });

  it('is similar where it is about the same in other words, and else something of its own', () => {
    expect(answer(withFinding({ text: 'kernel warnings: "quite another"' }))).toBe('similar');
    expect(answer(withFinding({ subject: 'I/O error' }))).toBe('other');
  });

  it('is unknown where nothing was found out: no evidence, no all-clear', () => {
    expect(answer(away)).toBe('unknown');
    expect(answer({ findings: [], verdict: 'cancelled' })).toBe('unknown');
    const { verdict: _none, ...silent } = peer('web-02', { findings: [] });
    expect(peerAnswer(asking, silent)).toBe('unknown');
    expect(answer(withFinding({ severity: 'inconclusive' }))).toBe('unknown');
    expect(answer(well)).toBe('none');
  });
});

it("the run's own message says whose supervisors were asked", () => {
  const peers = { campaign: 'c-peers', machines: ['web-02', 'web-03'] };
  const { blocks } = runMainView({ ...asking, peers }, { traceLink: { missing: 'none' } });
  expect(JSON.stringify(blocks)).toContain('asked to check for the same: *web-02*, *web-03* (`c-peers`)');
});
