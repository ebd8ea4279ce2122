import { describe, expect, it } from 'vitest';
import type { Campaign } from '../../src/fleet/campaign.ts';
import { nextStep, type TakenMachine } from '../../src/fleet/campaign-step.ts';
import type { Verdict } from '../../src/fleet/finding.ts';
import { sampleCampaign } from '../support/sample-run.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f'];
const by = { kind: 'person', userId: 'U1', teamId: 'T1' } as const;

function campaign(changes: Partial<Campaign> = {}): Campaign {
  return { ...sampleCampaign('c-1', names), waves: [1, 3, 6], handedIn: 1, ...changes };
}

function done(machine: string, verdict: Verdict = 'ok'): TakenMachine {
  return { machine, state: 'done', verdict, inertnessUnknown: false };
}
const working = (machine: string): TakenMachine => ({ machine, state: 'tasking', inertnessUnknown: false });

describe('the next step of a campaign', () => {
  it('is the next wave, once the one before is done', () => {
    expect(nextStep(campaign(), [working('a')])).toEqual({ kind: 'wait' });
    expect(nextStep(campaign(), [done('a')])).toEqual({ kind: 'hand-in', machines: ['b', 'c'] });
    const second = campaign({ handedIn: 3 });
    expect(nextStep(second, [done('a'), done('b', 'answered'), working('c')])).toEqual({ kind: 'wait' });
    expect(nextStep(second, [done('a'), done('b'), done('c')])).toEqual({
      kind: 'hand-in',
      machines: ['d', 'e', 'f'],
    });
  });

  it.each(['warning', 'critical', 'inconclusive', 'failed', 'cancelled'] as const)(
    'is to stop after a wave with a machine that is %s',
    (verdict) => {
      const taken = [done('a', verdict)];
      expect(nextStep(campaign(), taken)).toEqual({ kind: 'stop', wave: 0, why: `a: ${verdict}` });
    },
  );

  it('is to stop where an agent may still run, a machine asks people, or none could be looked at', () => {
    expect(nextStep(campaign(), [{ ...done('a'), inertnessUnknown: true }])).toMatchObject({ kind: 'stop' });
    const asks = { ...done('a', 'critical'), state: 'awaiting' } as const;
    expect(nextStep(campaign(), [asks])).toMatchObject({ kind: 'stop' });
    const nobody = nextStep(campaign(), []);
    expect(nobody).toEqual({ kind: 'stop', wave: 0, why: 'no machine of it could be looked at' });
  });

  it('looks at the wave before only, and at no wave after which somebody continued', () => {
    const third = campaign({ handedIn: 3, continued: [{ wave: 0, by, at: 1 }] });
    const taken = [done('a', 'critical'), done('b'), done('c')];
    expect(nextStep(third, taken)).toEqual({ kind: 'hand-in', machines: ['d', 'e', 'f'] });
    const again = campaign({ continued: [{ wave: 0, by, at: 1 }] });
    expect(nextStep(again, [done('a', 'critical')])).toMatchObject({ kind: 'hand-in' });
  });

  it('goes on where a machine of the wave was left out and the others were ok', () => {
    const leftOut = [{ machine: 'b', why: 'halted' }];
    const step = nextStep(campaign({ handedIn: 3, leftOut }), [done('a'), done('c')]);
    expect(step).toMatchObject({ kind: 'hand-in' });
  });

  it('takes no more machines than may be at work at once, and does not stop within a wave', () => {
    const few = campaign({ waves: [6], handedIn: 2, atOnce: 3 });
    expect(nextStep(few, [working('a'), done('b', 'critical')])).toEqual({
      kind: 'hand-in',
      machines: ['c', 'd'],
    });
    expect(nextStep({ ...few, atOnce: 1 }, [working('a'), done('b')])).toEqual({ kind: 'wait' });
  });

  it('is none where it stopped, ended, or everything was handed in', () => {
    const stopped = campaign({ stopped: { wave: 0, at: 1, why: 'a: critical' } });
    expect(nextStep(stopped, [done('a', 'critical')])).toEqual({ kind: 'rest' });
    expect(nextStep(campaign({ ended: { by, at: 1 } }), [done('a')])).toEqual({ kind: 'rest' });
    expect(nextStep(campaign({ handedIn: 6 }), [done('a')])).toEqual({ kind: 'rest' });
    expect(nextStep(sampleCampaign('c-1', names), [])).toEqual({ kind: 'rest' });
  });

  it('names the first few that were not ok', () => {
    const wide = campaign({ waves: [6, 7], handedIn: 6, machines: [...names, 'g'] });
    const step = nextStep(
      wide,
      names.map((name) => done(name, 'failed')),
    );
    expect(step).toEqual({
      kind: 'stop',
      wave: 0,
      why: 'a: failed, b: failed, c: failed, d: failed, e: failed and 1 more',
    });
  });
});
