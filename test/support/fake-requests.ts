import type {
  Accepted,
  CampaignMember,
  CancelResult,
  MachineRecord,
  RequestLimits,
  Requests,
} from '../../src/bot/ports.ts';
import type { Campaign } from '../../src/fleet/campaign.ts';
import { type LimitError, StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import type { Request } from '../../src/fleet/request.ts';
import type { Cancellation, Run } from '../../src/fleet/run.ts';
import { cancelWaiting } from '../../src/fleet/withdraw.ts';

/** The store behind the bot, in memory: an event id is accepted once, runs stay as the test puts them. */
export class FakeRequests implements Requests {
  readonly stored: Run[] = [];
  readonly campaigns = new Map<string, Campaign>();
  /** What the ledger was told of campaigns. */
  readonly campaignEntries: LedgerEntry[] = [];
  /** What is known of a machine, on top of nothing. */
  readonly records = new Map<string, Partial<MachineRecord>>();
  /** Makes every `accept` wait for it first. */
  gate: Promise<void> = Promise.resolve();
  /** What `accept` throws for these requests, where they are over a limit. */
  limit: (requests: readonly Request[]) => LimitError | undefined = () => undefined;
  /** Makes every call fail as when Redis is away. */
  away = false;

  async accept(requests: readonly Request[], _limits: RequestLimits, campaign?: Campaign): Promise<Accepted> {
    await this.gate;
    this.#reach();
    const eventIds = requests.map((request) => request.eventId);
    const before = this.stored.filter((run) => eventIds.includes(run.request.eventId));
    if (before.length > 0) return { duplicate: true, runIds: before.map((run) => run.id) };
    const over = this.limit(requests);
    if (over !== undefined) throw over;
    if (campaign !== undefined) this.campaigns.set(campaign.id, campaign);
    const runs = requests.map((request, index) => queuedRun(request, this.stored.length + index));
    this.stored.push(...runs);
    return { duplicate: false, runIds: runs.map((run) => run.id) };
  }

  async cancel(runId: string, cancellation: Cancellation): Promise<CancelResult> {
    const run = await this.run(runId);
    if (run === undefined) return { kind: 'unknown-run' };
    if (run.state === 'done') return { kind: 'already-done', run };
    const withdrawn = cancelWaiting(run, cancellation, cancellation.at);
    if (withdrawn !== undefined) {
      this.stored[this.stored.indexOf(run)] = withdrawn.run;
      return { kind: 'cancelled', run: withdrawn.run };
    }
    if (run.state !== 'queued') {
      const asked: Run = { ...run, cancellation: run.cancellation ?? cancellation };
      this.stored[this.stored.indexOf(run)] = asked;
      return { kind: 'requested', run: asked };
    }
    const cancelled: Run = { ...run, state: 'done', verdict: 'cancelled', cancellation };
    this.stored[this.stored.indexOf(run)] = cancelled;
    return { kind: 'cancelled', run: cancelled };
  }

  async run(runId: string): Promise<Run | undefined> {
    this.#reach();
    return this.stored.find((run) => run.id === runId);
  }

  async runs(filter: { machine?: string; limit: number }): Promise<readonly Run[]> {
    this.#reach();
    return this.stored
      .filter((run) => filter.machine === undefined || run.request.machine === filter.machine)
      .toReversed()
      .slice(0, filter.limit);
  }

  async machine(name: string): Promise<MachineRecord> {
    this.#reach();
    const waiting = this.stored.filter((run) => run.request.machine === name).length;
    return { name, fence: 0, waiting, ...this.records.get(name) };
  }

  async campaign(id: string): Promise<{ campaign: Campaign; members: CampaignMember[] } | undefined> {
    this.#reach();
    const campaign = this.campaigns.get(id);
    if (campaign === undefined) return undefined;
    const members = this.stored
      .filter((run) => run.request.campaign === id)
      .map((run) => ({
        machine: run.request.machine,
        runId: run.id,
        state: run.state,
        ...(run.verdict !== undefined && { verdict: run.verdict }),
        inertnessUnknown: false,
        alike: '',
      }));
    return { campaign, members };
  }

  async changeCampaign(
    id: string,
    change: Parameters<Requests['changeCampaign']>[1],
  ): Promise<Campaign | undefined> {
    this.#reach();
    const campaign = this.campaigns.get(id);
    const changed = campaign && change(campaign);
    if (changed === undefined) return campaign;
    this.campaigns.set(id, changed.campaign);
    this.campaignEntries.push(changed.entry);
    return changed.campaign;
  }

  #reach(): void {
    if (this.away) throw new StoreUnavailableError('Redis did not answer. Look at the Redis server.');
  }
}

function queuedRun(request: Request, index: number): Run {
  return {
    id: `r-${String(index).padStart(12, '0')}`,
    request,
    state: 'queued',
    trace: { traceId: '0'.repeat(32), rootSpanId: '0'.repeat(16) },
    timeline: [{ state: 'queued', at: request.acceptedAt }],
    findings: [],
    inertness: 'never-started',
  };
}
