import type { Machine } from '../../fleet/machine.ts';
import type { Run } from '../../fleet/run.ts';
import { verificationQuestion } from './try-agent.ts';

/** Where it was asked for: no channel of Slack. */
const channel = 'command-line';

/**
 * The run under which a machine keeps what a verification did there. It is in no queue and no ledger.
 * @param hex makes random lower-case hex of so many digits
 */
export function verificationRun(
  machine: Machine,
  by: string,
  now: number,
  hex: (digits: number) => string,
): Run {
  const id = `r-${hex(16)}`;
  return {
    id,
    request: {
      eventId: `verify:${id}`,
      machine: machine.name,
      task: { kind: 'ask', question: verificationQuestion },
      requester: { kind: 'person', userId: by, teamId: '' },
      origin: { channel },
      acceptedAt: now,
    },
    state: 'tasking',
    trace: { traceId: hex(32), rootSpanId: hex(16) },
    timeline: [{ state: 'tasking', at: now }],
    findings: [],
    verdict: 'answered',
    inertness: 'never-started',
  };
}
