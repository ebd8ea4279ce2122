import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import type { Fleet } from '../../../src/fleet/fleet.ts';
import { fleetDigest } from '../../../src/fleet/fleet-digest.ts';
import { type LedgerEntry, ledgerEntrySchema } from '../../../src/fleet/ledger-entry.ts';
import { PolicyRecorder } from '../../../src/queue/ledger/policy-recorder.ts';
import { fleetOfOne } from '../../fleet/fixtures.ts';

const log = pino({ level: 'silent' });

/** A ledger with slots. */
function aLedger() {
  const entries: LedgerEntry[] = [];
  const slots = new Map<string, string>();
  const ledger = { entries, broken: false, attempts: 0 };
  const appendOnce = async (slot: string, value: string, entry: LedgerEntry) => {
    ledger.attempts += 1;
    if (ledger.broken) throw new Error('away');
    if (slots.get(slot) === value) return false;
    slots.set(slot, value);
    entries.push(ledgerEntrySchema.parse(entry));
    return true;
  };
  const recorder = () => new PolicyRecorder({ appendOnce, log, clock: () => 5, retryIntervalMs: 1 });
  return { ledger, recorder };
}

const first = fleetOfOne();
const second: Fleet = fleetOfOne(
  '    role: web',
  'access:\n  - { people: [U0ANN], machines: all, verbs: all }',
);

it('a fleet file that comes into force is written once over all processes, with what changed', async () => {
  const { ledger, recorder } = aLedger();
  const [one, two] = [recorder(), recorder()];
  for (const process of [one, two]) await process.record(first);
  for (const process of [one, two]) await process.record(second);
  await recorder().record(second);
  await one.record(first);
  const common = { kind: 'policy.changed', at: 5, machines: 1, removed: [] };
  const digests = { first: fleetDigest(first), second: fleetDigest(second) };
  const change = { ...common, added: [], changed: ['rhel-01'], accessChanged: true };
  expect(ledger.entries).toEqual([
    { ...common, digest: digests.first, added: ['rhel-01'], changed: [], accessChanged: false },
    { ...change, digest: digests.second, before: digests.first },
    { ...change, digest: digests.first, before: digests.second },
  ]);
});

it('what cannot be written now is written later, in order', async () => {
  const { ledger, recorder } = aLedger();
  const process = recorder();
  ledger.broken = true;
  const written = [process.record(first), process.record(second)];
  await vi.waitFor(() => expect(ledger.attempts).toBeGreaterThan(1));
  ledger.broken = false;
  await Promise.all(written);
  expect(ledger.entries.map((entry) => 'digest' in entry && entry.digest)).toEqual([
    fleetDigest(first),
    fleetDigest(second),
  ]);
});

it('a recorder that is stopped waits for nothing', async () => {
  const { ledger, recorder } = aLedger();
  ledger.broken = true;
  const process = recorder();
  const written = process.record(first);
  await process.stop();
  await written;
  expect(ledger.entries).toEqual([]);
});
