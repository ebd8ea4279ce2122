import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Requester } from '../../src/fleet/requester.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { HeldBack } from '../../src/fleet/silence.ts';
import type { Restraints } from '../../src/supervisors/ports.ts';
import { machineRecord } from '../support/machine-record.ts';
import { sampleApproval } from '../support/sample-question.ts';
import { sampleRun } from '../support/sample-run.ts';

/** Restraints with nothing in force. */
export interface RestraintsUnderTest {
  readonly restraints: Restraints;
  /** A person silences the machine, for a reason. */
  silence(machine: string, reason: string): Promise<void>;
  /** Everything that was held back so far. */
  heldBack(): Promise<readonly HeldBack[]>;
  /** The alerts of the incident for this machine and check are resolved. */
  resolve(incident: string, machine: string, check: string): void;
  /** Nothing is left of a budget that every run counts for. */
  useUp(budget: string): void;
  close(): Promise<void>;
}

const machine = machineRecord({ port: 22, hostKey: 'ssh-ed25519 AAAA' }, { name: 'web-01' });
const requesters: Readonly<Record<'alert' | 'schedule', Requester>> = {
  alert: { kind: 'alert', incident: 'i-0000000000aa' },
  schedule: { kind: 'schedule', schedule: 'nightly' },
};

/** What Restraints promise to supervisors. */
export function restraintsSuite(name: string, make: () => Promise<RestraintsUnderTest>): void {
  describe(`restraints: ${name}`, () => {
    let under: RestraintsUnderTest;
    let runs = 0;
    beforeAll(async () => {
      under = await make();
    });
    afterAll(async () => {
      await under?.close();
    });
    beforeEach(() => {
      runs += 1;
    });

    const runOf = (requester?: Requester): Run => {
      const run = sampleRun(`r-${String(runs).padStart(12, '0')}`, 'queued');
      return requester === undefined ? run : { ...run, request: { ...run.request, requester } };
    };
    const approved = (proposedBy: 'person' | 'rule'): Run => {
      const run = runOf();
      return { ...run, approval: sampleApproval(run, { proposedBy }) };
    };
    const moments = ['run', 'escalation', 'action'] as const;

    it('are none where nothing holds', async () => {
      for (const moment of moments) {
        expect(await under.restraints.obstacle(runOf(requesters.alert), machine, moment)).toBeUndefined();
      }
      expect(await under.heldBack()).toEqual([]);
    });

    it('end the run of an alert that is over, which no silence held back', async () => {
      under.resolve('i-0000000000bb', 'web-01', 'disk');
      const over: Requester = { kind: 'alert', incident: 'i-0000000000bb' };
      expect(await under.restraints.obstacle(runOf(over), machine, 'run')).toMatchObject({
        ...{ moment: 'run', kind: 'resolved' },
      });
      expect(await under.restraints.obstacle(runOf(over), machine, 'escalation')).toBeUndefined();
      expect(await under.restraints.obstacle(runOf(requesters.alert), machine, 'run')).toBeUndefined();
      expect(await under.heldBack()).toEqual([]);
    });

    it('hold back the agent, whoever asked, where a budget is used up, and nothing else', async () => {
      expect(await under.restraints.obstacle(runOf(), machine, 'agent')).toBeUndefined();
      under.useUp('web');
      for (const run of [runOf(), runOf(requesters.alert)]) {
        expect(await under.restraints.obstacle(run, machine, 'agent')).toEqual({
          ...{ moment: 'agent', kind: 'over-budget', reason: 'the budget web is used up' },
        });
        for (const moment of moments) {
          expect(await under.restraints.obstacle(run, machine, moment)).toBeUndefined();
        }
      }
    });

    describe('of a silenced machine', () => {
      beforeAll(() => under.silence('web-01', 'new kernel'));

      it('hold back what nobody asked for by hand, say why, and note it once', async () => {
        const run = runOf(requesters.schedule);
        for (const _time of [1, 2]) {
          expect(await under.restraints.obstacle(run, machine, 'run')).toMatchObject({
            ...{ moment: 'run', kind: 'silenced', reason: expect.stringContaining('new kernel') },
            by: { kind: 'person' },
          });
        }
        expect(await under.heldBack()).toContainEqual({
          ...{ kind: 'schedule', machine: 'web-01', what: 'disk', times: 1 },
        });
      });

      it('let a person check, and ask nobody about what that finds', async () => {
        expect(await under.restraints.obstacle(runOf(), machine, 'run')).toBeUndefined();
        expect(await under.restraints.obstacle(runOf(), machine, 'escalation')).toMatchObject({
          moment: 'escalation',
        });
      });

      it('hold an approved action back that no person thought of, and no other', async () => {
        expect(await under.restraints.obstacle(approved('rule'), machine, 'action')).toMatchObject({
          moment: 'action',
        });
        expect(await under.restraints.obstacle(approved('person'), machine, 'action')).toBeUndefined();
      });

      it('are none of another machine', async () => {
        const other = { ...machine, name: 'db-01' };
        expect(await under.restraints.obstacle(runOf(requesters.alert), other, 'run')).toBeUndefined();
      });
    });
  });
}
