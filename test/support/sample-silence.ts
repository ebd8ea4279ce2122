import type { PersonRef } from '../../src/fleet/requester.ts';
import type { Silence } from '../../src/fleet/silence.ts';

const silence = {
  id: 's-0000000000aa',
  machines: 'all',
  reason: 'new kernel',
  by: { kind: 'person', userId: 'U1', teamId: 'T1' },
  origin: { channel: 'C0OPS' },
  from: 1_000,
  until: 4_000,
} as const;

/** A silence of everything in C0OPS. */
export function sampleSilence(changes: Partial<Silence> = {}): Silence {
  return { ...silence, ...changes };
}

/** One of the person U1. */
export function personsSilence(
  changes: Partial<Omit<Silence, 'by'>> = {},
): Silence & { readonly by: PersonRef } {
  return { ...silence, ...changes };
}
