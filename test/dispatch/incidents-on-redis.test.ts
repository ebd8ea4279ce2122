import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { handIn } from '../../src/dispatch/hand-in.ts';
import { incidentsDuty } from '../../src/dispatch/incidents.ts';
import type { Incidents } from '../../src/dispatch/ports.ts';
import { openQueue } from '../queue/support.ts';
import { alertGroup, foundAlert } from '../support/alert-groups.ts';
import { stormFleet } from '../support/alert-storm.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const log = pino({ enabled: false });
const machines = ['m-000', 'm-001', 'm-002'];
const fleet = stormFleet(5, { debounceSeconds: 0 });

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis.stop();
});

/** The steps of a look at an incident, in their order: it is planned, claimed, handed in, noted, and its round ends. */
const steps = ['change', 'claim', 'hand-in', 'looked', 'change'] as const;
const deaths = steps.flatMap((step, at) => [['before', step, at] as const, ['after', step, at] as const]);

it.each(deaths)(
  'killed %s "%s" (step %i), it goes on to one run for each machine',
  async (when, _step, at) => {
    await using queue = await openQueue(redis.url, { prefix: `{${when}-${at}}` });
    let passed = 0;
    /** Lets a step happen, unless it is the one at which the process dies. */
    const live = async <T>(step: () => Promise<T>): Promise<T> => {
      const isLast = passed === at;
      passed += 1;
      if (isLast && when === 'before') throw new Error('killed');
      const result = await step();
      if (isLast) throw new Error('killed');
      return result;
    };
    const { incidents } = queue;
    const mortal: Incidents = {
      due: (...args) => incidents.due(...args),
      change: (...args) => live(() => incidents.change(...args)),
      claim: (...args) => live(() => incidents.claim(...args)),
      looked: (...args) => live(() => incidents.looked(...args)),
    };
    const tools = {
      ...{ fleet: () => fleet, requests: queue.requests, halts: queue.halts },
      ...{ holdBack: async () => [], budgets: queue.budgets },
      ...{ seal: undefined, newCampaignId: () => `c-${passed}`, clock: Date.now },
    };
    const duty = incidentsDuty({
      ...{ ...tools, incidents: mortal, log },
      handIn: (wish) => live(() => handIn(wish, tools)),
    });
    const look = () => duty.run(AbortSignal.timeout(5_000));
    const tell = (some: readonly string[]) =>
      incidents.take([alertGroup(some.map((machine) => foundAlert(machine)))], { rules: fleet.alerts });

    await tell(machines.slice(0, 2));
    const [id = ''] = await incidents.due(Date.now(), 1);
    await expect(look()).rejects.toThrow('killed');
    await tell(machines);
    for (let looks = 0; looks < 4; looks++) await look();

    const runs = await queue.requests.runs({ limit: 100 });
    expect(runs.map(({ request }) => request.machine).toSorted()).toEqual(machines);
    const noted = (await incidents.incident(id))?.investigations.map(({ run }) => run);
    expect(noted?.toSorted()).toEqual(runs.map((run) => run.id).toSorted());
  },
);
