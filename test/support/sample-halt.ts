import type { Halt, HaltMember, HaltOutcome } from '../../src/fleet/halt.ts';
import { acceptedAt } from './sample-run.ts';

/** A halt of everything by Ann; `changes` on top. */
export function sampleHalt(changes: Partial<Halt> = {}): Halt {
  return {
    id: 'h-000000000001',
    eventId: 'cmd:1',
    selector: 'all',
    reason: 'the agents misbehave',
    by: { kind: 'person', userId: 'U0ANN', teamId: 'T0TEAM' },
    origin: { channel: 'C0OPS' },
    at: acceptedAt,
    releases: [],
    ...changes,
  };
}

/** What is known of a machine, three seconds after the halt. */
export function haltMember(outcome: HaltOutcome, detail?: string): HaltMember {
  return { outcome, at: acceptedAt + 3_000, ...(detail === undefined ? {} : { detail }) };
}
