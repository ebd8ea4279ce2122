import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import { type Run, runSchema } from '../../src/fleet/run.ts';
import { createSigner, type SignerOptions } from '../../src/signer/create-signer.ts';
import type { SigningAsk, SigningReply } from '../../src/signer/ports.ts';
import { approvedRun, askFor, fleetOf, means, now } from './approved-run.ts';

/** A signer among parts in memory, which tell in order what it did. */
function startSigner(given: readonly Run[], changes: Partial<SignerOptions> = {}) {
  const waiting: SigningAsk[] = [];
  const told: (['ledger', LedgerEntry] | ['answer', string, SigningReply])[] = [];
  const logged: string[] = [];
  const counted: string[] = [];
  let arrived = Promise.withResolvers<void>();
  const signer = createSigner({
    ...means(),
    fleet: () => fleetOf(),
    asks: {
      async next(signal) {
        const aborted = Promise.withResolvers<void>();
        signal.addEventListener('abort', () => aborted.resolve());
        while (waiting.length === 0 && !signal.aborted)
          await Promise.race([arrived.promise, aborted.promise]);
        return signal.aborted ? undefined : waiting.shift();
      },
      async answer(ask, reply) {
        told.push(['answer', ask.id, reply]);
      },
    },
    runs: { run: async (id) => given.find((run) => run.id === id) },
    ledger: { append: async (entry) => void told.push(['ledger', entry]) },
    meter: { signed: () => void counted.push('signed'), refused: () => void counted.push('refused') },
    clock: () => now,
    log: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
    retryIntervalMs: 1,
    ...changes,
  });
  const ask = (one: SigningAsk) => {
    waiting.push(one);
    arrived.resolve();
    arrived = Promise.withResolvers();
  };
  signer.start();
  onTestFinished(() => signer.stop());
  const answers = () => told.flatMap((each) => (each[0] === 'answer' ? [each[1]] : []));
  return { signer, ask, told, answers, logged, counted };
}

const run = approvedRun();
const facts = { at: now, approval: 'a-00000000000a', machine: 'web-01', fence: 7 };

it('answers a wish with the capsule, once the ledger has it', async () => {
  const { ask, told, counted } = startSigner([run]);
  ask(askFor(run));
  await vi.waitFor(() => expect(told).toHaveLength(2));
  expect(told).toEqual([
    ['ledger', { kind: 'capsule.signed', ...facts }],
    ['answer', 'ask-1', { signed: { capsule: expect.any(String), signature: expect.any(String) } }],
  ]);
  expect(counted).toEqual(['signed']);
});

it('answers with the reason where it refuses, which stands in ledger and log too', async () => {
  const { ask, told, logged, counted } = startSigner([{ ...run, state: 'done' }]);
  ask(askFor(run));
  await vi.waitFor(() => expect(told).toHaveLength(2));
  const reason = 'It is not approved: the run is done, its approval approved.';
  expect(told).toEqual([
    ['ledger', { kind: 'capsule.refused', ...facts, reason }],
    ['answer', 'ask-1', { refused: reason }],
  ]);
  expect(logged.join()).toContain(reason);
  expect(counted).toEqual(['refused']);
});

it('refuses what no record is of', async () => {
  const { ask, told } = startSigner([]);
  ask(askFor(run));
  await vi.waitFor(() =>
    expect(told).toContainEqual(['answer', 'ask-1', { refused: `There is no run ${run.id}.` }]),
  );
});

it('refuses what it cannot read, and says so at once', async () => {
  const runs = { run: async () => runSchema.parse({}) };
  const { ask, told, logged } = startSigner([], { runs });
  ask(askFor(run));
  const refused = expect.stringContaining(`cannot read the record of ${run.id}`);
  await vi.waitFor(() => expect(told).toContainEqual(['answer', 'ask-1', { refused }]));
  expect(logged.join()).toContain('ZodError');
});

it('goes by the fleet file as it is at that moment', async () => {
  let fleet = fleetOf();
  const { ask, told, answers } = startSigner([run], { fleet: () => fleet });
  ask(askFor(run, { id: 'before' }));
  await vi.waitFor(() => expect(answers()).toEqual(['before']));
  fleet = { ...fleet, access: [] };
  ask(askFor(run, { id: 'after' }));
  await vi.waitFor(() => expect(answers()).toEqual(['before', 'after']));
  expect(told.at(-1)).toMatchObject(['answer', 'after', { refused: expect.any(String) }]);
});

it('answers nothing that the ledger did not take, and goes on with the next', async () => {
  let isDown = true;
  const entries: LedgerEntry[] = [];
  const append = async (entry: LedgerEntry) => {
    if (isDown) throw new StoreUnavailableError('Redis is away.');
    entries.push(entry);
  };
  const { ask, answers, logged } = startSigner([run], { ledger: { append } });
  ask(askFor(run, { id: 'first' }));
  await vi.waitFor(() => expect(logged.join()).toContain('Redis is away.'));
  isDown = false;
  ask(askFor(run, { id: 'second' }));
  await vi.waitFor(() => expect(answers()).toEqual(['second']));
  expect(entries).toHaveLength(1);
});

it('leaves Redis alone for a while where it is away, and ends without waiting for it', async () => {
  let asked = 0;
  const next = async () => {
    asked += 1;
    throw new StoreUnavailableError('Redis is away.');
  };
  const asks = { next, answer: async () => undefined };
  const { signer, logged } = startSigner([], { asks, retryIntervalMs: 3_600_000 });
  await vi.waitFor(() => expect(logged.join()).toContain('Redis is away.'));
  await sleep(0);
  await signer.stop();
  expect(asked).toBe(1);
});

it('serves one after the other, and ends after the one at hand', async () => {
  const release = Promise.withResolvers<void>();
  let asked = 0;
  const runs = {
    async run() {
      asked += 1;
      await release.promise;
      return run;
    },
  };
  const { signer, ask, answers } = startSigner([], { runs });
  ask(askFor(run, { id: 'first' }));
  ask(askFor(run, { id: 'second' }));
  await vi.waitFor(() => expect(asked).toBe(1));
  let ended = false;
  const stopping = signer.stop().then(() => {
    ended = true;
  });
  await sleep(0);
  expect({ ended, answers: answers() }).toEqual({ ended: false, answers: [] });
  release.resolve();
  await stopping;
  expect({ asked, answers: answers() }).toEqual({ asked: 1, answers: ['first'] });
});
