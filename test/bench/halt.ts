import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { HaltMember } from '../../src/fleet/halt.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { answersOk } from '../../src/sandbox/answers-ok.ts';
import { startChild } from '../../src/sandbox/child-process.ts';
import { freePort } from '../../src/sandbox/free-port.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { startRedis } from '../../src/sandbox/redis-server.ts';
import { startProcess } from './worker-process.ts';

/** What came of a halt. */
export interface HaltTimes {
  readonly machines: number;
  readonly reachable: number;
  /** Until every machine that can be reached was locked and measured inactive. */
  readonly confirmedMs: number;
  /** Until of every other one it was known that it cannot be reached. */
  readonly completeMs: number;
  /** Until every machine that can be reached was unlocked. */
  readonly resumedMs: number;
  /** `fleetbot halt --direct` from a shell, from its start to its end. */
  readonly directMs: number;
}

const mainFile = join(import.meta.dirname, '../../src/main.ts');
const pollMs = 50;
const patienceMs = 300_000;
const readyTimeoutMs = 60_000;
const entrySchema = z.object({
  name: z.string(),
  address: z.string(),
  ssh: z.object({ port: z.int() }),
  hostKey: z.string(),
  reachable: z.boolean(),
});

/** Halts so many simulated machines, a tenth of them unreachable, over a worker process with the project's defaults. */
export async function measureHalt(machines: number, tell: (line: string) => void): Promise<HaltTimes> {
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'fleetbot-bench-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));

  const fleetProcess = startProcess('halt-fleet.ts');
  parts.defer(() => fleetProcess.disconnect());
  fleetProcess.send({ count: machines });
  const [message] = await once(fleetProcess, 'message');
  const entries = z.array(entrySchema).parse(message);
  const reachable = entries.filter((entry) => entry.reachable).map(({ name }) => name);

  const [fleetFile, keyFile] = [join(folder, 'fleet.yaml'), join(folder, 'key')];
  const forFile = entries.map(({ reachable: _reachable, ...entry }) => entry);
  await writeFile(fleetFile, stringify({ version: 1, machines: forFile }));
  await writeFile(keyFile, newKeyPair().privateKey, { mode: 0o600 });
  const direct = { FLEETBOT_FLEET_FILE: fleetFile, FLEETBOT_SSH_KEY_FILE: keyFile };

  const redis = await startRedis({ folder: join(folder), tell });
  parts.defer(() => redis.stop());
  const queue = await createQueue({ redisUrl: redis.url, log: pino({ level: 'silent' }) });
  parts.defer(() => queue.close());
  const healthPort = await freePort();
  const worker = await startChild({
    name: 'fleetbot',
    argv: [process.execPath, mainFile, 'start'],
    env: {
      ...{ ...direct, PATH: process.env.PATH, FLEETBOT_ROLE: 'worker', REDIS_URL: redis.url },
      FLEETBOT_HEALTH_PORT: String(healthPort),
    },
    cwd: folder,
    logFile: join(folder, 'fleetbot.log'),
    readyTimeoutMs,
    ready: () => answersOk(`http://127.0.0.1:${healthPort}/readyz`),
  });
  parts.defer(() => worker.stop());

  const by = { kind: 'person', userId: 'U0BENCH', teamId: 'T0BENCH' } as const;
  const id = 'h-bench';
  const begunAt = performance.now();
  await queue.halts.begin(
    {
      ...{ id, eventId: 'bench', selector: 'all', reason: 'benchmark', by, at: Date.now(), releases: [] },
      origin: { channel: 'C0BENCH' },
    },
    entries.map(({ name }) => name),
  );
  const confirmed = until(queue, id, (of) => reachable.every((name) => of.get(name)?.outcome === 'inactive'));
  const complete = until(queue, id, (of) => [...of.values()].every(({ outcome }) => outcome !== 'pending'));
  await Promise.all([confirmed, complete]);
  const [confirmedMs, completeMs] = [(await confirmed) - begunAt, (await complete) - begunAt];

  const resumedAt = performance.now();
  await queue.halts.release(id, { selector: 'all', by, at: Date.now() }, 'bench-resume');
  const unlocked = await until(queue, id, (of) =>
    reachable.every((name) => of.get(name)?.outcome === 'unlocked'),
  );
  await worker.stop();

  const directAt = performance.now();
  const cli = execFile(process.execPath, [mainFile, 'halt', '--direct', '--yes', 'all', 'benchmark'], {
    env: { PATH: process.env.PATH, ...direct },
  });
  await once(cli, 'exit');
  const directMs = performance.now() - directAt;
  return {
    ...{ machines, reachable: reachable.length, confirmedMs, completeMs, directMs },
    resumedMs: unlocked - resumedAt,
  };
}

/** Resolves with the time at which the condition held. @throws Error when it does not in `patienceMs` */
async function until(
  queue: Queue,
  haltId: string,
  condition: (members: ReadonlyMap<string, HaltMember>) => boolean,
): Promise<number> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = await queue.halts.halt(haltId);
    if (found !== undefined && condition(found.members)) return performance.now();
    if (performance.now() > deadline) throw new Error('the halt was not confirmed in time');
    await sleep(pollMs);
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

/** The table for README. */
export function haltReport(times: HaltTimes): string {
  const { machines, reachable } = times;
  return [
    `Halt of ${machines} simulated machines, of which ${machines - reachable} take connections and never answer:`,
    '',
    '| | s |',
    '| --- | ---: |',
    `| ${reachable} reachable ones locked and measured inactive | ${seconds(times.confirmedMs)} |`,
    `| the rest known to be unreachable | ${seconds(times.completeMs)} |`,
    `| resume: ${reachable} unlocked | ${seconds(times.resumedMs)} |`,
    `| the same halt as \`fleetbot halt --direct\`, whole program | ${seconds(times.directMs)} |`,
  ].join('\n');
}
