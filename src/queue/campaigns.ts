import type { Redis } from 'ioredis';
import { z } from 'zod';
import { type Campaign, campaignSchema } from '../fleet/campaign.ts';
import { isOpen } from '../fleet/campaign-step.ts';
import { type Verdict, verdictSchema } from '../fleet/finding.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import { type RunState, runStates } from '../fleet/run.ts';
import { ask } from './connect.ts';
import { ledgerText } from './ledger.ts';
import { json } from './records.ts';
import type { StoreOptions } from './store-options.ts';
import { viewScore } from './view-score.ts';

/** The field of a campaign's hash that holds the campaign itself; no machine has such a name. */
const campaignField = ':campaign';

const storedCampaign = json.pipe(campaignSchema);
const saveReply = z.union([z.literal(0), z.literal(1)]);
const memberSchema = z
  .string()
  .transform((text): unknown => text.split(' '))
  .pipe(
    z.tuple([
      z.string(),
      z.enum(runStates),
      z.union([verdictSchema, z.literal('')]),
      z.string(),
      z.string().default(''),
    ]),
  );

/** A machine of a campaign that got its run. */
export interface CampaignMember {
  readonly machine: string;
  readonly runId: string;
  readonly state: RunState;
  readonly verdict?: Verdict;
  readonly inertnessUnknown: boolean;
  /** See `alikeOf`; '' before the evidence is judged. */
  readonly alike: string;
}

/** A campaign and its members as they were read. */
export interface StoredCampaign {
  readonly campaign: Campaign;
  /** In the order of the campaign's machines. */
  readonly members: readonly CampaignMember[];
  /** Proves what was read to whoever changes it: the stored text. */
  readonly version: string;
}

/** How a campaign goes on, and what the ledger says of it. */
export interface CampaignChange {
  readonly campaign: Campaign;
  readonly entry?: LedgerEntry | undefined;
}

/** Campaigns in Redis. Rejects with StoreUnavailableError like requests do. */
export class RedisCampaigns {
  readonly #options: StoreOptions;
  readonly #redis: Redis;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#redis = options.redis;
  }

  /** The ids of those of which more is to be handed in without anybody's doing, oldest first. */
  async open(): Promise<readonly string[]> {
    return ask('look for campaigns', this.#redis.zrange(this.#options.keys.openCampaigns(), 0, '-1'));
  }

  async read(id: string): Promise<StoredCampaign | undefined> {
    const { [campaignField]: version, ...members } = await ask(
      'read the campaign',
      this.#redis.hgetall(this.#options.keys.campaign(id)),
    );
    if (version === undefined) return undefined;
    const campaign = storedCampaign.parse(version);
    const taken = campaign.machines.flatMap((machine) => {
      const text = members[machine];
      return text === undefined ? [] : [readMember(machine, text)];
    });
    return { campaign, members: taken, version };
  }

  /** Stores it, if nobody has changed it since it was read. Returns whether that was so. */
  async save(version: string, { campaign, entry }: CampaignChange): Promise<boolean> {
    const { keys, clock, settings, disk } = this.#options;
    const reply = await ask(
      'store the campaign',
      this.#redis.saveCampaign(
        keys.prefix,
        ...[campaign.id, version, JSON.stringify(campaign), ...openArguments(campaign)],
        ...[viewScore('verdict', clock()), settings.ledgerEntriesMax, entry ? ledgerText(entry) : ''],
      ),
    );
    await ask('put the campaign on disk', disk.confirm());
    return saveReply.parse(reply) === 1;
  }

  /** Changes it until nobody was faster. Returns it as it is stored then; undefined where there is none. */
  async change(
    id: string,
    change: (campaign: Campaign) => CampaignChange | undefined,
  ): Promise<Campaign | undefined> {
    const { keys } = this.#options;
    for (;;) {
      const version = await ask('read the campaign', this.#redis.hget(keys.campaign(id), campaignField));
      if (version === null) return undefined;
      const before = storedCampaign.parse(version);
      const changed = change(before);
      if (changed === undefined) return before;
      if (await this.save(version, changed)) return changed.campaign;
    }
  }

  /** Nothing of it is to be handed in any more, or it is not kept any longer. */
  async forget(id: string): Promise<void> {
    await ask('forget a campaign', this.#redis.zrem(this.#options.keys.openCampaigns(), id));
  }
}

/** What scripts need to keep it among the open ones, or not: '1' or '', and its place among them. */
export function openArguments(campaign: Campaign): readonly [isOpen: string, score: number] {
  return [isOpen(campaign) ? '1' : '', campaign.acceptedAt];
}

function readMember(machine: string, text: string): CampaignMember {
  const [runId, state, verdict, inertness, alike] = memberSchema.parse(text);
  return {
    machine,
    runId,
    state,
    ...(verdict && { verdict }),
    inertnessUnknown: inertness === 'unknown',
    alike,
  };
}
