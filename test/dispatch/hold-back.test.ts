import { describe, expect, it } from 'vitest';
import { createHoldBack } from '../../src/dispatch/hold-back.ts';
import type { Silences } from '../../src/dispatch/ports.ts';
import type { Held } from '../../src/fleet/held-back.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import type { Requester } from '../../src/fleet/requester.ts';
import type { Silence } from '../../src/fleet/silence.ts';
import { machineRecord } from '../support/machine-record.ts';
import { sampleSilence } from '../support/sample-silence.ts';

const named = (name: string): Machine => machineRecord({ port: 22, hostKey: 'ssh-ed25519 AAAA' }, { name });
const machines = ['web-01', 'web-02', 'db-01', 'db-02'].map(named);
const task = { kind: 'check', check: 'disk' } as const;
const alert: Requester = { kind: 'alert', incident: 'i-0000000000aa' };

/** What is held back, of these silences. */
async function holdBack(holding: readonly Silence[], requester: Requester) {
  const noted: { id: string; held: readonly Held[]; eventId: string }[] = [];
  const silences: Silences = {
    holding: async () => holding,
    holdBack: async ({ id }, held, eventId) => void noted.push({ id, held, eventId }),
    due: async () => [],
    close: async () => true,
  };
  const tool = createHoldBack({ silences, clock: () => 2_000 });
  return { leftOut: await tool(machines, { task, requester, eventId: 'incident:i-1:1' }), noted };
}

describe('a wish that no person made by hand', () => {
  it('leaves out silenced machines with the reason, and notes that, once for each silence', async () => {
    const web = sampleSilence({ id: 's-web', machines: 'web-*', reason: 'new kernel', until: 3_000 });
    const db = sampleSilence({ id: 's-db', machines: 'db-01', reason: 'vacuum' });
    const { leftOut, noted } = await holdBack([web, db], alert);
    expect(leftOut).toEqual([
      { machine: 'web-01', why: 'silenced until 1970-01-01 00:00:03 UTC: new kernel', until: 3_000 },
      { machine: 'web-02', why: 'silenced until 1970-01-01 00:00:03 UTC: new kernel', until: 3_000 },
      { machine: 'db-01', why: 'silenced until 1970-01-01 00:00:04 UTC: vacuum', until: 4_000 },
    ]);
    const held = (machine: string) => ({ kind: 'alert', machine, what: 'disk' });
    expect(noted).toEqual([
      { id: 's-web', held: [held('web-01'), held('web-02')], eventId: 'incident:i-1:1' },
      { id: 's-db', held: [held('db-01')], eventId: 'incident:i-1:1' },
    ]);
  });

  it('leaves out nothing where nothing holds now', async () => {
    const over = sampleSilence({ until: 2_000 });
    expect(await holdBack([over], alert)).toEqual({ leftOut: [], noted: [] });
  });
});

it('what a person asks for by hand is never held back', async () => {
  const person: Requester = { kind: 'person', userId: 'U1', teamId: 'T1' };
  expect(await holdBack([sampleSilence()], person)).toEqual({ leftOut: [], noted: [] });
});
