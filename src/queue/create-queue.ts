import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Fleet } from '../fleet/fleet.ts';
import { type Halt, haltOf, holder, isLifted } from '../fleet/halt.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Notice } from '../fleet/notice.ts';
import type { Run } from '../fleet/run.ts';
import { ApprovalClock } from './approval-clock.ts';
import { RedisApprovals } from './approvals.ts';
import { RedisSlackBudget } from './budget.ts';
import { RedisBudgets } from './budgets.ts';
import { Cancellations } from './cancellations.ts';
import { ask, connectForRequests, connectForWorkers, storeProblem, whenConnected } from './connect.ts';
import { Disk } from './durability.ts';
import { type QueueGauges, readGauges } from './gauges.ts';
import { RedisHalts } from './halts.ts';
import { RedisHandOvers } from './hand-overs.ts';
import { createIds, type RandomBytes } from './ids.ts';
import { inTime } from './in-time.ts';
import { RedisIncidents } from './incidents.ts';
import { Keys } from './keys.ts';
import { Leadership } from './leadership.ts';
import { RedisLedger } from './ledger.ts';
import { LedgerFacts } from './ledger-facts.ts';
import { mlflowReader, RedisLedgerTail } from './ledger-tail.ts';
import { obeyHalts } from './obey-halts.ts';
import { OpenTraces } from './open-traces.ts';
import { RedisPeerClaims } from './peer-claims.ts';
import { type QueueSettings, queueDefaults } from './queue-settings.ts';
import { RedisReconcilerStore, readNotice } from './reconciler-store.ts';
import type { RedisAccess } from './redis-access.ts';
import { RedisRequests } from './requests.ts';
import { RedisRestraints } from './restraints.ts';
import { RedisRunStore } from './run-store.ts';
import { checkSafety } from './safety.ts';
import { RedisSchedules } from './schedules.ts';
import { RedisSigner } from './signer.ts';
import { RedisSigningAsks } from './signing-asks.ts';
import { RedisSilences } from './silences.ts';
import { slackLimits } from './slack-limits.ts';
import { RedisSpending } from './spending.ts';
import type { StoreOptions } from './store-options.ts';
import { Sweeper } from './sweeper.ts';
import { RedisViews } from './views.ts';
import { type Drive, WakeWorker } from './wake-worker.ts';
import { Wakes } from './wakes.ts';

export interface QueueOptions {
  readonly redisUrl: string;
  /** What the URL does not say. */
  readonly redisAccess?: RedisAccess;
  readonly log: Logger;
  /** What differs from `queueDefaults`. */
  readonly settings?: Partial<QueueSettings>;
  /** The fleet in force: which machines halts and silences hold for, its maintenance windows and its budgets. */
  readonly fleet?: () => Pick<Fleet, 'machines' | 'maintenance' | 'budgets'>;
  readonly clock?: () => number;
  readonly random?: RandomBytes;
}

export interface WorkOptions {
  /** Machines driven at the same time. */
  readonly concurrency: number;
  /** Called with each run that ended in this process because nobody answered. */
  readonly onExpired?: (run: Run) => void;
  /** Called with each run that is done and whose trace nobody has ended: the process that ended it was killed. */
  readonly onUntraced?: (run: Run) => void;
}

/** Everything that is kept in Redis, behind the ports of the rooms that use it. */
export interface Queue {
  readonly requests: RedisRequests;
  readonly views: RedisViews;
  readonly budget: RedisSlackBudget;
  readonly runs: RedisRunStore;
  readonly halts: RedisHalts;
  readonly silences: RedisSilences;
  readonly incidents: RedisIncidents;
  /** A worker's, which waits while Redis is away. */
  readonly restraints: RedisRestraints;
  /** What agents used. */
  readonly spending: RedisSpending;
  readonly budgets: RedisBudgets;
  readonly approvals: RedisApprovals;
  readonly handOvers: RedisHandOvers;
  readonly peerClaims: RedisPeerClaims;
  /** A worker's way to signers. */
  readonly signer: RedisSigner;
  /** A signer's way to workers. */
  readonly signingAsks: RedisSigningAsks;
  readonly ledger: RedisLedger;
  /** The same, to be looked through by time. */
  readonly ledgerFacts: LedgerFacts;
  /** The ledger for the dispatcher, which brings to MLflow what people said of traces. */
  readonly ledgerTail: RedisLedgerTail;
  readonly reconciler: RedisReconcilerStore;
  readonly schedules: RedisSchedules;
  /** Calls the dispatcher's work in one process at a time (see `Leadership`). */
  leadDispatch(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
  notice(id: string): Promise<Notice | undefined>;
  gauges(): Promise<QueueGauges>;
  /** Whether Redis answers now. */
  ready(): Promise<boolean>;
  /** Begins to take wakes, to sweep and to let time pass: this process is a worker from now on. Once. */
  work(drive: Drive, options: WorkOptions): Promise<void>;
  /** Takes no more wakes, and hands over what is in progress (see WakeWorker.close). */
  letGo(): Promise<void>;
  /** The same, and disconnects. */
  close(): Promise<void>;
}

/**
 * Connects, and looks whether this Redis keeps what is promised.
 * @throws SettingsError for what no patience cures: certificates, login, what the user may do
 * @throws StoreUnavailableError when it does not answer
 * @throws StoreUnsafeError when it may lose or evict records
 */
export async function createQueue(options: QueueOptions): Promise<Queue> {
  const { log, clock = Date.now, random = randomBytes } = options;
  const settings = { ...queueDefaults, ...options.settings };
  const keys = new Keys(settings.prefix);

  const { redisUrl: url, redisAccess: access } = options;
  const forRequests = connectForRequests(url, log, settings.requestTimeoutMs, access);
  const forWorkers = connectForWorkers(url, log, access);
  const forMessages = connectForWorkers(url, log, access);
  const connections = [forRequests, forWorkers, forMessages];
  let signingAsks: RedisSigningAsks | undefined;
  const disconnect = (): void => {
    signingAsks?.disconnect();
    for (const connection of connections) connection.disconnect();
  };

  try {
    // One after the other: what is wrong is told once.
    for (const connection of connections) await whenConnected(connection, settings.connectTimeoutMs, log);
    const durability = await ask(
      'tell its version and settings',
      checkSafety(forRequests, settings, log).catch((error: unknown) => {
        throw storeProblem(error, forRequests) ?? error;
      }),
    );
    const disk = new Disk(forRequests, durability, settings.fsyncTimeoutMs);
    const wakes = new Wakes(forRequests, settings.prefix, log);
    const wake = (machines: Iterable<string>): Promise<void> => wakes.wake(machines);
    const cancellations = new Cancellations(forWorkers, forMessages, keys, log);
    const common = { redis: forRequests, disk, keys, clock, settings, log };
    const halts = new RedisHalts({ ...common, wake });
    const ledger = new RedisLedger(common);
    const ids = createIds(random);
    const machineOf = (name: string): Machine | undefined => options.fleet?.().machines.get(name);
    const haltOfName = (of: readonly Halt[], name: string): Halt | undefined => {
      const machine = machineOf(name);
      return machine && haltOf(of, machine);
    };
    const liftedFrom = (of: readonly Halt[], name: string): readonly string[] => {
      const machine = machineOf(name);
      return machine ? of.filter((halt) => isLifted(halt, machine)).map(({ id }) => id) : [];
    };
    const leadership = new Leadership(common);
    const workersDisk = new Disk(forWorkers, durability, settings.fsyncTimeoutMs);
    const openTraces = new OpenTraces({ redis: forWorkers, keys, settings, log });
    const runs = new RedisRunStore({
      ...{ keys, clock, settings, cancellations, openTraces, halts, haltOf: haltOfName, liftedFrom },
      ...{ redis: forWorkers, disk: workersDisk },
    });
    const silencesOf = (connection: Pick<StoreOptions, 'redis' | 'disk'>): RedisSilences =>
      new RedisSilences({ ...common, ...connection, fleet: () => options.fleet?.() });
    const silences = silencesOf(common);
    const incidentsOf = (connection: Pick<StoreOptions, 'redis' | 'disk'>): RedisIncidents =>
      new RedisIncidents({ ...common, ...connection, newId: (atMs) => ids.incidentId(atMs) });
    const workersIncidents = incidentsOf({ redis: forWorkers, disk: workersDisk });
    const spendingOf = (connection: Pick<StoreOptions, 'redis' | 'disk'>) => {
      const spending = new RedisSpending({ ...common, ...connection });
      const budgets = new RedisBudgets({
        ...{ spending, ledger: new RedisLedger({ ...common, ...connection }), clock },
        ...{ fleet: () => options.fleet?.(), staleMs: settings.spendingStaleMs },
      });
      return { spending, budgets };
    };
    const { spending, budgets } = spendingOf(common);
    const restraints = new RedisRestraints({
      silences: silencesOf({ redis: forWorkers, disk: workersDisk }),
      isOver: (...alert) => workersIncidents.isOver(...alert),
      budgets: spendingOf({ redis: forWorkers, disk: workersDisk }).budgets,
      clock,
    });
    const approvals = new RedisApprovals({ ...common, wake });
    signingAsks = new RedisSigningAsks({ ...common, connect: () => connectForWorkers(url, log, access) });
    let worker: WakeWorker | undefined;
    let approvalClock: ApprovalClock | undefined;
    let sweeper: Sweeper | undefined;
    let stopObeying: (() => void) | undefined;
    let lettingGo: Promise<void> | undefined;
    const letGo = async (): Promise<void> => {
      lettingGo ??= worker?.close();
      await lettingGo;
    };

    return {
      requests: new RedisRequests({
        ...{ ...common, wake },
        ids,
      }),
      views: new RedisViews(common),
      budget: new RedisSlackBudget(forRequests, keys, slackLimits),
      runs,
      halts,
      silences,
      incidents: incidentsOf(common),
      restraints,
      spending,
      budgets,
      approvals,
      handOvers: new RedisHandOvers(common),
      peerClaims: new RedisPeerClaims(common),
      signer: new RedisSigner({ ...common, random }),
      signingAsks,
      ledger,
      ledgerFacts: new LedgerFacts(common),
      ledgerTail: new RedisLedgerTail({ ...common, ledger, reader: mlflowReader }),
      reconciler: new RedisReconcilerStore({
        ...{ ...common, runs, halts, ledger },
        leadership,
      }),
      schedules: new RedisSchedules(common),
      leadDispatch: (work, signal) => leadership.lead('dispatcher', work, signal),
      notice: (id) => readNotice(forRequests, keys, id),
      gauges: () =>
        readGauges({
          ...{ redis: forRequests, keys, ledger, clock },
          haltedMachines: async () => {
            const holders = (await halts.active()).map(holder);
            const machines = [...(options.fleet?.().machines.values() ?? [])];
            return machines.filter((machine) => holders.some((holds) => holds(machine))).length;
          },
          silencesOpen: async () => (await silences.holding()).length,
          budgets: () => budgets.states(),
        }),
      ready: async () => (await forRequests.ping()) === 'PONG',
      async work(drive, { concurrency, onExpired = () => {}, onUntraced = () => {} }) {
        await cancellations.start();
        const wakeBusy = async (): Promise<void> => wake(await forWorkers.smembers(keys.busy()));
        worker = new WakeWorker({
          ...{ settings, concurrency, drive, wake, log },
          redis: forWorkers,
          claim: (machine, turn) => runs.claim(machine, turn),
        });
        const endTraces = async (): Promise<void> => (await openTraces.left()).forEach(onUntraced);
        sweeper = new Sweeper({ redis: forWorkers, settings, ledger, wakeBusy, endTraces, log });
        stopObeying = await obeyHalts({ halts, runs, haltOf: haltOfName, worker, log }, forMessages);
        const pollIntervalMs = settings.approvalsPollIntervalMs;
        approvalClock = new ApprovalClock({ approvals, pollIntervalMs, clock, onExpired, log });
        approvalClock.start();
        await Promise.all([worker.ready(), sweeper.start()]);
      },
      letGo,
      async close() {
        stopObeying?.();
        await Promise.all([letGo(), approvalClock?.stop()]);
        // Where Redis is away, these would not end.
        await inTime(Promise.all([sweeper?.close(), wakes.close()]), settings.disconnectTimeoutMs);
        disconnect();
      },
    };
  } catch (error) {
    disconnect();
    throw error;
  }
}
