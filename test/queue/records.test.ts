import { describe, expect, it } from 'vitest';
import { readMachine, readStoredRun } from '../../src/queue/records.ts';

describe("a machine's record", () => {
  it('is read also where another version of fleetbot has kept drift in words of its own', () => {
    const drift = JSON.stringify({ since: 1, parts: [{ part: 'moon', expected: 'full', found: null }] });
    expect(readMachine(['7', 'r-1', null, drift])).toEqual({ fence: 7, currentRunId: 'r-1' });
  });
});

describe("a run's record", () => {
  it('is read also where a fleetbot wrote it that knew of no actions and approvals', () => {
    const body = JSON.stringify({
      id: 'r-mwsc0g3ahabx',
      request: {
        ...{ eventId: 'Ev1', machine: 'web-01', task: { kind: 'check', check: 'disk' } },
        ...{
          requester: { kind: 'person', userId: 'U1', teamId: 'T1' },
          origin: { channel: 'C1' },
          acceptedAt: 1,
        },
      },
      state: 'stopping',
      trace: { traceId: 'a'.repeat(32), rootSpanId: 'b'.repeat(16) },
      timeline: [{ state: 'queued', at: 1 }],
      findings: [{ severity: 'critical', subject: '/var', text: '/var is 93% full', output: 0 }],
      verdict: 'critical',
      diagnosis: { activations: 1, toolCalls: [], contradictions: [] },
      inertness: 'inactive',
    });
    expect(readStoredRun([body, null])).toEqual({ body, run: JSON.parse(body) });
  });
});
