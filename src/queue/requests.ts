import type { Redis } from 'ioredis';
import { z } from 'zod';
import { type Campaign, campaignSchema } from '../fleet/campaign.ts';
import { verdictSchema } from '../fleet/finding.ts';
import type { PersonLimits } from '../fleet/fleet.ts';
import type { Limits } from '../fleet/machine.ts';
import type { Request } from '../fleet/request.ts';
import { requesterWord } from '../fleet/requester.ts';
import { type Cancellation, type Run, runStates } from '../fleet/run.ts';
import { cancelRun } from './cancel-run.ts';
import { ask } from './connect.ts';
import type { Ids } from './ids.ts';
import type { Keys } from './keys.ts';
import { ledgerText } from './ledger.ts';
import { limitError } from './limit-error.ts';
import { machineFields, readMachine, readStoredRun, runFields, type StoredMachine } from './records.ts';
import type { StoreOptions } from './store-options.ts';
import { viewScore } from './view-score.ts';

/** How many bodies are read at once for a list. */
const readAtOnce = 50;

const acceptReply = z.union([
  z.tuple([z.literal('accepted')], z.string()),
  z.tuple([z.literal('duplicate'), z.string()]),
  z.tuple([z.literal('collision')]),
  z.tuple([z.literal('limited'), z.literal('person'), z.int()]),
  z.tuple([z.literal('limited'), z.enum(['waiting', 'rate'])]).rest(z.string()),
]);
const memberSchema = z
  .string()
  .transform((text) => text.split(' '))
  .pipe(z.tuple([z.string(), z.enum(runStates), z.union([verdictSchema, z.literal('')]), z.string()]));

type CancelResult =
  | { readonly kind: 'cancelled' | 'requested' | 'already-done'; readonly run: Run }
  | { readonly kind: 'unknown-run' };

interface MachineRecord extends StoredMachine {
  readonly name: string;
  readonly waiting: number;
}

interface CampaignMember {
  readonly machine: string;
  readonly runId: string;
  readonly state: Run['state'];
  readonly verdict?: string;
  readonly inertnessUnknown: boolean;
}

/** The limits that requests must keep, as the fleet file has them. */
interface RequestLimits {
  readonly perPerson: PersonLimits;
  /** undefined for a machine that is not known. */
  readonly perMachine: (name: string) => Pick<Limits, 'maxWaiting' | 'requestsPerMinute'> | undefined;
}

export interface RequestsOptions extends StoreOptions {
  readonly ids: Ids;
}

/**
 * The bot's Requests in Redis. Every method rejects with StoreUnavailableError when Redis does not answer
 * within `requestTimeoutMs`; what resolves is on disk.
 */
export class RedisRequests {
  readonly #options: RequestsOptions;
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(options: RequestsOptions) {
    this.#options = options;
    this.#redis = options.redis;
    this.#keys = options.keys;
  }

  /**
   * Stores all requests or none. When any of their event ids was accepted before, nothing is stored and the
   * runs of that acceptance are returned.
   * @throws LimitError when the person or a machine is over a limit
   */
  async accept(
    requests: readonly Request[],
    limits: RequestLimits,
    campaign?: Campaign,
  ): Promise<{ duplicate: boolean; runIds: readonly string[] }> {
    const { settings, clock, disk, wake } = this.#options;
    const now = clock();
    const events = [...new Set(requests.map((request) => request.eventId))];
    for (;;) {
      const runs = requests.map((request) => this.#queuedRun(request, now));
      const reply = acceptReply.parse(
        await ask(
          'store the request',
          this.#redis.acceptRuns(
            this.#keys.prefix,
            ...[viewScore('progress', now), settings.seenEventsKept, settings.recordsKeptMs],
            ...[settings.recentRunsKept, settings.ledgerEntriesMax, acceptedText(runs, now)],
            ...[campaign?.id ?? '', JSON.stringify(campaign ?? null)],
            ...[requests[0] ? requesterWord(requests[0].requester) : '', limits.perPerson.requestsPerMinute],
            ...[events.length, ...events],
            ...runs.flatMap((run) => {
              const own = limits.perMachine(run.request.machine);
              const rate = own?.requestsPerMinute ?? '';
              return [run.id, run.request.machine, JSON.stringify(run), rate, own?.maxWaiting ?? ''];
            }),
          ),
        ),
      );
      if (reply[0] === 'limited') throw limitError(reply);
      const [outcome, ...details] = reply;
      if (outcome === 'collision') continue;
      await ask('put the request on disk', disk.confirm());
      if (outcome === 'duplicate')
        return { duplicate: true, runIds: details.flatMap((ids) => ids.split(' ')) };

      await wake(details);
      return { duplicate: false, runIds: runs.map((run) => run.id) };
    }
  }

  async cancel(runId: string, cancellation: Cancellation): Promise<CancelResult> {
    const { disk } = this.#options;
    const kind = await ask('cancel the run', cancelRun(this.#redis, runId, cancellation, this.#options));
    await ask('put the cancellation on disk', disk.confirm());
    const after = await this.run(runId);
    return after === undefined || kind === 'unknown-run' ? { kind: 'unknown-run' } : { kind, run: after };
  }

  async run(runId: string): Promise<Run | undefined> {
    const fields = await ask('read the run', this.#redis.hmget(this.#keys.run(runId), ...runFields));
    return readStoredRun(fields)?.run;
  }

  /** Newest first. A machine's: its inbox, its current run, those that await people, and its finished ones. */
  async runs(filter: { readonly machine?: string; readonly limit: number }): Promise<readonly Run[]> {
    const ids = await ask('list the runs', this.#runIds(filter.machine));
    const runs: Run[] = [];
    const together = Math.min(readAtOnce, filter.limit);
    for (let at = 0; at < ids.length && runs.length < filter.limit; at += together) {
      const some = await Promise.all(ids.slice(at, at + together).map((id) => this.run(id)));
      // Some ids outlive their runs.
      runs.push(...some.filter((run) => run !== undefined));
    }
    return runs.slice(0, filter.limit);
  }

  async machine(name: string): Promise<MachineRecord> {
    const [fields, waiting] = await ask(
      'read the machine',
      Promise.all([
        this.#redis.hmget(this.#keys.machine(name), ...machineFields),
        this.#redis.llen(this.#keys.inbox(name)),
      ]),
    );
    return { name, waiting, ...readMachine(fields) };
  }

  async campaign(
    id: string,
  ): Promise<{ campaign: Campaign; members: readonly CampaignMember[] } | undefined> {
    const { ':campaign': body, ...members } = await ask(
      'read the campaign',
      this.#redis.hgetall(this.#keys.campaign(id)),
    );
    if (body === undefined) return undefined;
    const campaign = campaignSchema.parse(JSON.parse(body));
    return {
      campaign,
      members: campaign.machines.map((machine) => {
        const [runId, state, verdict, inertness] = memberSchema.parse(members[machine]);
        return {
          machine,
          runId,
          state,
          ...(verdict && { verdict }),
          inertnessUnknown: inertness === 'unknown',
        };
      }),
    };
  }

  #queuedRun(request: Request, now: number): Run {
    const { ids } = this.#options;
    return {
      id: ids.runId(now),
      request,
      state: 'queued',
      trace: ids.trace(),
      timeline: [{ state: 'queued', at: now }],
      findings: [],
      inertness: 'never-started',
    };
  }

  async #runIds(machine: string | undefined): Promise<readonly string[]> {
    if (machine === undefined) return this.#redis.lrange(this.#keys.recent(), 0, -1);
    const [waiting, current, awaiting, finished] = await Promise.all([
      this.#redis.lrange(this.#keys.inbox(machine), 0, -1),
      this.#redis.hget(this.#keys.machine(machine), 'current'),
      this.#redis.lrange(this.#keys.awaiting(machine), 0, -1),
      this.#redis.lrange(this.#keys.finished(machine), 0, -1),
    ]);
    return [...waiting.reverse(), ...(current === null ? [] : [current]), ...awaiting, ...finished];
  }
}

/** What the ledger says of an acceptance. All its requests are of one person and have one task. */
function acceptedText(runs: readonly Run[], at: number): string {
  const [first] = runs;
  if (first === undefined) return '';
  const { requester, eventId, task, origin, campaign } = first.request;
  return ledgerText({
    ...{ kind: 'request.accepted', at, by: requester, eventId, task, origin },
    ...(campaign !== undefined && { campaign }),
    runs: runs.map(({ id, request }) => ({ run: id, machine: request.machine })),
  });
}
