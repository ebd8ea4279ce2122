import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import { Disk } from '../../src/queue/durability.ts';
import { RedisIncidents } from '../../src/queue/incidents.ts';
import { Keys } from '../../src/queue/keys.ts';
import { queueDefaults } from '../../src/queue/queue-settings.ts';
import { loadScripts } from '../../src/queue/scripts.ts';
import { RedisSilences } from '../../src/queue/silences.ts';
import { alertGroup, alertRules, foundAlert } from '../support/alert-groups.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { personsSilence } from '../support/sample-silence.ts';
import { silent } from './support.ts';

let server: TestRedis;
let redis: Redis;
let incidents: RedisIncidents;
let silences: RedisSilences;

beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url, { scripts: loadScripts() });
  // It writes, and answers that nothing is on disk.
  const disk = new Disk(Object.assign(Object.create(redis), { call: async () => [0, 0] }), 'waitaof', 10);
  const common = { redis, disk, keys: new Keys('{disk}'), clock: () => 2_000, log: silent };
  incidents = new RedisIncidents({ ...common, settings: queueDefaults, newId: () => 'i-0000000000aa' });
  silences = new RedisSilences({ ...common, settings: queueDefaults, fleet: () => undefined });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const silence = personsSilence();
const by = { kind: 'person', userId: 'U1', teamId: 'T1' } as const;
const asked = { machine: 'web-01', check: 'disk', at: 1, run: 'r-1', by: 'U1' };

it.each<[string, () => Promise<unknown>]>([
  ['alerts', () => incidents.take([alertGroup([foundAlert('web-01')])], { rules: alertRules() })],
  ['a run that is noted', () => incidents.noteRuns('i-0000000000aa', [asked])],
  [
    'a change of an incident',
    () => incidents.change('i-0000000000aa', (incident) => ({ incident: { ...incident }, dueAt: 1 })),
  ],
  ['a silence', () => silences.begin(silence, 'Ev1')],
  [
    'what a silence held back',
    () => silences.holdBack(silence, [{ kind: 'alert', machine: 'web-01', what: 'disk' }], 'Ev2'),
  ],
  ['the end of a silence', () => silences.end(silence.id, { by, at: 2_000 })],
])('%s: not taken before it is on disk', async (_what, step) => {
  await expect(step()).rejects.toBeInstanceOf(StoreUnavailableError);
});
