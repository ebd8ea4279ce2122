import type { CampaignDetails } from '../../src/bot/views/campaign-main.ts';
import type { Campaign } from '../../src/fleet/campaign.ts';
import type { Run, RunState } from '../../src/fleet/run.ts';
import { runStates } from '../../src/fleet/run.ts';

export const acceptedAt = Date.parse('2026-11-22T10:00:00Z');

/** The states of a run that people are asked about. */
const asking: readonly RunState[] = ['awaiting', 'approved', 'acting', 'verifying'];

/** A run of `check disk` in a state, with the timeline that leads there; `changes` on top. */
export function sampleRun(id: string, state: RunState, changes: Partial<Run> = {}): Run {
  const before = runStates.slice(0, runStates.indexOf(state) + 1);
  const passed = before.filter((each) => state !== 'done' || !asking.includes(each));
  return {
    id,
    request: {
      eventId: `event-${id}`,
      machine: 'web-01',
      task: { kind: 'check', check: 'disk' },
      requester: { kind: 'person', userId: 'U0ANN', teamId: 'T0TEAM' },
      origin: { channel: 'C0OPS' },
      acceptedAt,
    },
    state,
    trace: { traceId: 'a'.repeat(32), rootSpanId: 'b'.repeat(16) },
    timeline: passed.map((each, index) => ({ state: each, at: acceptedAt + index * 1_000 })),
    findings: [],
    inertness: 'never-started',
    ...changes,
  };
}

const df = [
  'Filesystem     Type 1024-blocks     Used Available Capacity Mounted on',
  '/dev/sda1      ext4    20000000  4000000  16000000      20% /',
  '/dev/sda2      ext4    20000000 18600000   1400000      93% /var',
].join('\n');

/** What judging adds to a run: evidence of `df`, two findings, a critical verdict. */
export const judged = {
  evidence: {
    check: 'disk',
    collectedAt: '2026-11-22T10:00:01Z',
    outputs: [
      { argv: ['df', '-P', '-T'], exitCode: 0, stdout: df, stderr: '', truncated: false, durationMs: 12 },
    ],
  },
  findings: [
    {
      severity: 'ok',
      subject: '/',
      text: '/ is 20% full (limit 80%)',
      output: 0,
      measure: { value: 20, unit: '%' },
    },
    { severity: 'critical', subject: '/var', text: '/var is 93% full (limit 90%)', output: 0 },
  ],
  verdict: 'critical',
} satisfies Partial<Run>;

/** What the agent adds. */
export const diagnosed = {
  diagnosis: {
    activations: 1,
    comment: 'Old kernels fill /var.\nRemove them.',
    toolCalls: [
      {
        id: '1',
        tool: 'exec',
        input: 'du -x /var',
        output: '18G',
        failed: false,
        startedAt: 0,
        endedAt: 1_200,
      },
    ],
    usage: { inputTokens: 1_234, outputTokens: 567 },
    model: 'rules-1',
    contradictions: [],
  },
  inertness: 'inactive',
} satisfies Partial<Run>;

/** A campaign of `check disk` on some machines. */
export function sampleCampaign(id: string, machines: readonly string[]): Campaign {
  return {
    id,
    selector: 'web-*',
    task: { kind: 'check', check: 'disk' },
    requester: { kind: 'person', userId: 'U0ANN', teamId: 'T0TEAM' },
    origin: { channel: 'C0OPS' },
    machines: [...machines],
    acceptedAt,
  };
}

/** What a campaign's summary is made with, where nothing is known beside its record. */
export const noDetails: CampaignDetails = {
  ...{ examples: new Map(), now: acceptedAt, halted: new Map(), unmentioned: 0 },
  traceLink: { missing: 'no MLflow' },
};
