import type { Redis } from 'ioredis';
import { z } from 'zod';
import { type Campaign, campaignSchema } from '../../src/fleet/campaign.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { Keys } from '../../src/queue/keys.ts';
import { readRun } from '../../src/queue/records.ts';

/** Everything that Redis says in the end, read without the product's own lists. */
export interface Records {
  readonly runs: ReadonlyMap<string, Run>;
  readonly campaigns: ReadonlyMap<
    string,
    { readonly campaign: Campaign; readonly runIds: readonly string[] }
  >;
  /** Machines whose agent could not be measured inactive. */
  readonly quarantined: readonly string[];
}

const scanCount = 1_000;
const storedRun = z.object({ body: z.string(), cancellation: z.string().optional() });

/** Reads every record. */
export async function readRecords(redis: Redis, keys: Keys): Promise<Records> {
  const hashes = async (kind: string) => {
    const found = new Map<string, Record<string, string>>();
    const start = `${keys.prefix}${kind}:`;
    const pattern = `${start.replaceAll(/[{}]/g, '\\$&')}*`;
    for await (const names of redis.scanStream({ match: pattern, count: scanCount })) {
      for (const name of z.array(z.string()).parse(names)) {
        found.set(name.slice(start.length), await redis.hgetall(name));
      }
    }
    return found;
  };
  const [runs, campaigns, machines] = await Promise.all([
    hashes('run'),
    hashes('campaign'),
    hashes('machine'),
  ]);
  return {
    runs: new Map(
      [...runs].map(([id, fields]) => {
        const { body, cancellation } = storedRun.parse(fields);
        return [id, readRun(body, cancellation ?? null)];
      }),
    ),
    campaigns: new Map(
      [...campaigns].map(([id, { ':campaign': body = '', ...members }]) => {
        const runIds = Object.values(members).map((member) => member.split(' ')[0] ?? '');
        return [id, { campaign: campaignSchema.parse(JSON.parse(body)), runIds }];
      }),
    ),
    quarantined: [...machines].filter(([, { quarantine }]) => quarantine !== undefined).map(([name]) => name),
  };
}
