import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Campaign } from '../fleet/campaign.ts';
import type { PersonLimits } from '../fleet/fleet.ts';
import type { Limits } from '../fleet/machine.ts';
import type { Request } from '../fleet/request.ts';
import { requesterWord } from '../fleet/requester.ts';
import type { Cancellation, Run } from '../fleet/run.ts';
import { type CampaignChange, openArguments, RedisCampaigns, type StoredCampaign } from './campaigns.ts';
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
  z.tuple([z.enum(['collision', 'changed'])]),
  z.tuple([z.literal('limited'), z.literal('person'), z.int()]),
  z.tuple([z.literal('limited'), z.enum(['waiting', 'rate'])]).rest(z.string()),
]);

type CancelResult =
  | { readonly kind: 'cancelled' | 'requested' | 'already-done'; readonly run: Run }
  | { readonly kind: 'unknown-run' };

interface MachineRecord extends StoredMachine {
  readonly name: string;
  readonly waiting: number;
}

/** The limits that requests must keep, as the fleet file has them. */
interface RequestLimits {
  readonly perPerson: PersonLimits;
  /** undefined for a machine that is not known. */
  readonly perMachine: (name: string) => Pick<Limits, 'maxWaiting' | 'requestsPerMinute'> | undefined;
}

/** What is stored of a campaign together with requests for machines of it. */
interface CampaignInStep {
  readonly campaign: Campaign;
  /** The stored text that is replaced; '' for a new one. */
  readonly before: string;
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
  /** What is known of campaigns. */
  readonly campaigns: RedisCampaigns;

  constructor(options: RequestsOptions) {
    this.#options = options;
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.campaigns = new RedisCampaigns(options);
  }

  /**
   * Stores all requests or none. When any of their event ids was accepted before, nothing is stored and the
   * runs of that acceptance are returned. A campaign without requests, of which every machine was left out, is
   * accepted under `eventId`; accepted before, its own id is returned.
   * @throws LimitError when the person or a machine is over a limit
   */
  async accept(
    requests: readonly Request[],
    limits: RequestLimits,
    campaign?: Campaign,
    eventId?: string,
  ): Promise<{ duplicate: boolean; runIds: readonly string[] }> {
    const accepted = await this.#accept(requests, limits, campaign && { campaign, before: '' }, eventId);
    if (accepted === 'changed') throw new RangeError(`There is a campaign ${campaign?.id} already.`);
    return accepted;
  }

  /**
   * Stores requests for more machines of a campaign, in one step with the campaign as it is then; nothing where
   * somebody has changed it since it was read. A campaign counts once for who asked for it.
   * @returns whether this call stored them
   * @throws LimitError when a machine is over a limit
   */
  async acceptMore(
    requests: readonly Request[],
    limits: Pick<RequestLimits, 'perMachine'>,
    campaign: Campaign,
    version: string,
  ): Promise<boolean> {
    const accepted = await this.#accept(requests, limits, { campaign, before: version });
    return accepted !== 'changed' && !accepted.duplicate;
  }

  async #accept(
    requests: readonly Request[],
    { perPerson, perMachine }: Pick<RequestLimits, 'perMachine'> & Partial<RequestLimits>,
    step: CampaignInStep | undefined,
    eventId = requests[0]?.eventId ?? '',
  ): Promise<{ duplicate: boolean; runIds: readonly string[] } | 'changed'> {
    const { settings, clock, disk, wake } = this.#options;
    const now = clock();
    const events = [...new Set([eventId, ...requests.map((request) => request.eventId)])];
    const asked = requests[0] ?? step?.campaign;
    for (;;) {
      const runs = requests.map((request) => this.#queuedRun(request, now));
      const reply = acceptReply.parse(
        await ask(
          'store the request',
          this.#redis.acceptRuns(
            this.#keys.prefix,
            ...[viewScore('progress', now), settings.seenEventsKept, settings.recordsKeptMs],
            ...[
              settings.recentRunsKept,
              settings.ledgerEntriesMax,
              acceptedText(runs, step?.campaign, eventId, now),
            ],
            ...(step === undefined
              ? ['', '', '', '', '']
              : [
                  step.campaign.id,
                  JSON.stringify(step.campaign),
                  step.before,
                  ...openArguments(step.campaign),
                ]),
            ...[asked ? requesterWord(asked.requester) : '', perPerson?.requestsPerMinute ?? ''],
            ...[events.length, ...events],
            ...runs.flatMap((run) => {
              const own = perMachine(run.request.machine);
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
      if (outcome === 'changed') return 'changed';
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

  /** The runs that this event id led to; undefined for one that was not accepted, or is no longer remembered. */
  async acceptedBefore(eventId: string): Promise<readonly string[] | undefined> {
    const ids = await ask('look for the request', this.#redis.hget(this.#keys.seen(), eventId));
    return ids?.split(' ').filter((id) => id !== '');
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

  async campaign(id: string): Promise<Omit<StoredCampaign, 'version'> | undefined> {
    const found = await this.campaigns.read(id);
    return found && { campaign: found.campaign, members: found.members };
  }

  /** Changes it until nobody was faster. Returns it as it is stored then; undefined where there is none. */
  async changeCampaign(
    id: string,
    change: (campaign: Campaign) => CampaignChange | undefined,
  ): Promise<Campaign | undefined> {
    return this.campaigns.change(id, change);
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

/** What the ledger says of an acceptance. All its requests are of one requester and have one task. */
function acceptedText(
  runs: readonly Run[],
  campaign: Campaign | undefined,
  eventId: string,
  at: number,
): string {
  const asked = runs[0]?.request ?? campaign;
  if (asked === undefined) throw new RangeError('Nothing was to be accepted.');
  const { requester, task, origin } = asked;
  const campaignId = campaign?.id ?? runs[0]?.request.campaign;
  return ledgerText({
    ...{ kind: 'request.accepted', at, by: requester, eventId, task, origin },
    ...(campaignId !== undefined && { campaign: campaignId }),
    runs: runs.map(({ id, request, trace }) => ({
      run: id,
      machine: request.machine,
      trace: trace.traceId,
    })),
  });
}
