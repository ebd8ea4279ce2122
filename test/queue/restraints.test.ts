import { createQueue } from '../../src/queue/create-queue.ts';
import { RedisRestraints } from '../../src/queue/restraints.ts';
import { restraintsSuite } from '../conformance/restraints.ts';
import { startTestRedis } from '../support/redis.ts';
import { personsSilence } from '../support/sample-silence.ts';
import { silent } from './support.ts';

restraintsSuite('in Redis', async () => {
  const redis = await startTestRedis();
  const { silences, close } = await createQueue({ redisUrl: redis.url, log: silent });
  const over = new Set<string>();
  let usedUp: string | undefined;
  const restraints = new RedisRestraints({
    silences,
    isOver: async (...alert) => over.has(alert.join(' ')),
    budgets: { obstacle: async () => usedUp },
    clock: Date.now,
  });
  const id = 's-0000000000aa';
  return {
    restraints,
    async silence(machines, reason) {
      const from = Date.now();
      await silences.begin(personsSilence({ id, machines, reason, from, until: from + 3_600_000 }), 'Ev');
    },
    heldBack: async () => (await silences.silence(id))?.heldBack ?? [],
    resolve: (...alert) => over.add(alert.join(' ')),
    useUp: (budget) => {
      usedUp = `the budget ${budget} is used up`;
    },
    async close() {
      await close();
      await redis.stop();
    },
  };
});
