import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MachineError, SignerError, StoreUnavailableError } from '../../src/fleet/errors.ts';
import { checkDisk, isHonest, openActing, vacuum } from './acting-machine.ts';
import type { Around } from './around.ts';
import { type SupervisedMachine, supervisedMachines } from './supervised-machine.ts';

const open = supervisedMachines();

const never = new AbortController().signal;
/** How many workers may come to grief before one is left alone. */
const troublesMax = 4;
const runsOfProperty = 60;
const longTestMs = 180_000;

/** What happens to a worker at one of its calls. */
const troubles = [
  'killed',
  'shut down',
  'machine gone',
  'store away',
  'signer away',
  'cancelled',
  'locked',
] as const;

interface Trouble {
  readonly kind: (typeof troubles)[number];
  /** How many calls go well before. */
  readonly after: number;
  readonly when: 'before' | 'after';
  /** Whether whoever was killed comes back once the next worker is done. */
  readonly comesBack: boolean;
}

const trouble: fc.Arbitrary<Trouble> = fc.record({
  kind: fc.constantFrom(...troubles),
  after: fc.nat({ max: 11 }),
  when: fc.constantFrom('before', 'after'),
  comesBack: fc.boolean(),
});

const ends = fc.constantFrom('done', 'failed', 'lost');

/** Drives the run until it is done, each time with another trouble, at the end without one. */
async function driveThrough(on: SupervisedMachine, id: string, plan: readonly Trouble[]): Promise<void> {
  const zombies: (() => Promise<void>)[] = [];
  for (const each of [...plan, undefined]) {
    const claim = await on.queue.runs.claim('rhel-01');
    if (!claim) break;
    const shutdown = new AbortController();
    const killed = Promise.withResolvers<void>();
    const wakeUp = Promise.withResolvers<void>();
    const around = each ? aroundOf(on, id, each, { shutdown, killed, wakeUp: wakeUp.promise }) : {};
    const driving = on
      .supervisor(around)(claim, shutdown.signal)
      .catch(() => undefined);
    await Promise.race([driving, killed.promise]);
    const comeBack = () => {
      wakeUp.resolve();
      return driving;
    };
    if (each?.comesBack) zombies.push(comeBack);
  }
  for (const goOn of zombies) await goOn();
  const claim = await on.queue.runs.claim('rhel-01');
  if (claim) await on.supervisor()(claim, never);
}

function aroundOf(
  on: SupervisedMachine,
  id: string,
  { kind, after, when }: Trouble,
  worker: { shutdown: AbortController; killed: PromiseWithResolvers<void>; wakeUp: Promise<void> },
): Around {
  let calls = 0;
  const strike = async (call: string): Promise<void> => {
    const isStruck = calls === after;
    calls += 1;
    if (!isStruck) return;
    switch (kind) {
      case 'killed':
        worker.killed.resolve();
        return worker.wakeUp;
      case 'shut down':
        return worker.shutdown.abort('shutdown');
      case 'machine gone':
        if (!call.startsWith('store') && call !== 'sign')
          throw new MachineError('unreachable', 'It is gone.');
        return;
      case 'store away':
        if (call.startsWith('store')) throw new StoreUnavailableError('Redis is away.');
        return;
      case 'signer away':
        if (call === 'sign') throw new SignerError('signer-away', 'No signer answered.');
        return;
      case 'cancelled':
        await on.queue.requests.cancel(id, { userId: 'U2', at: 1 });
        return;
      case 'locked':
        await on.machine.lock('a leak');
    }
  };
  return { [when]: strike };
}

it(
  'whatever happens to workers and machine, what was approved is done at most once, and the record tells the truth',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(trouble, { maxLength: troublesMax }),
        ends,
        fc.constantFrom(vacuum, checkDisk),
        async (plan, outcome, task) => {
          await using on = await openActing(
            open,
            { action: async () => ({ outcome, detail: 'It ended.' }) },
            { settings: { resultGraceMs: 20, stopAttempts: 1, stopRetryDelayMs: 1 } },
          );
          const { id } = await on.serve(task);
          await on.decide(id);
          await driveThrough(on, id, plan);
          const run = await on.run(id);
          expect(run.state).toBe('done');
          expect(on.machine.executions.length).toBeLessThanOrEqual(1);
          expect(isHonest(run, on)).toBe(true);
          expect(on.tracer.finished.length).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: runsOfProperty },
    );
  },
  longTestMs,
);
