import type { Run } from '../../src/fleet/run.ts';
import { approvalsSuite } from '../conformance/approvals.ts';
import { FakeApprovals } from '../support/fake-approvals.ts';
import { sampleApproval } from '../support/sample-question.ts';
import { sampleRun } from '../support/sample-run.ts';

approvalsSuite('in memory, for tests of the bot', async () => {
  const runs: Run[] = [];
  return {
    approvals: new FakeApprovals(runs),
    another: async () => new FakeApprovals(runs),
    ask: async (endsAt) => {
      const id = `r-${String(runs.length + 1).padStart(12, '0')}`;
      const run = sampleRun(id, 'awaiting');
      const rounds = [{ mention: ['S0OPS'], remindAt: endsAt - 1, endsAt }];
      const asking = { ...run, approval: sampleApproval(run, { rounds }) };
      runs.push(asking);
      return asking;
    },
    close: async () => {},
  };
});
