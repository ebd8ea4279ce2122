import { type ChildProcess, spawn } from 'node:child_process';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Approval, Vote } from '../../src/fleet/approval.ts';
import { capsuleNamespace, capsuleSchema, type SignedCapsule } from '../../src/fleet/capsule.ts';
import { createSeals } from '../../src/fleet/create-seals.ts';
import { moveRun, type Run } from '../../src/fleet/run.ts';
import { settle } from '../../src/fleet/settle.ts';
import { fingerprint, publicKeyLine, signerOf } from '../../src/fleet/ssh-signature.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { Keys } from '../../src/queue/keys.ts';
import { queueDefaults } from '../../src/queue/queue-settings.ts';
import { answersOk } from '../../src/sandbox/answers-ok.ts';
import { freePort } from '../../src/sandbox/free-port.ts';
import { aRequest, openQueue } from '../queue/support.ts';
import { noLimits } from '../support/no-limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import {
  approvedRun,
  askFor,
  botKey,
  capsuleKey,
  fleetFile,
  newKey,
  person,
  sealed,
} from './approved-run.ts';

const startTimeoutMs = 45_000;
const stopTimeoutMs = 10_000;
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const folder = mkdtempSync(join(tmpdir(), 'fleetbot-signer-'));

let server: TestRedis;
let queue: Queue;
let signer: ChildProcess;
let healthPort: number;
/** What it says. */
let log = '';

beforeAll(async () => {
  server = await startTestRedis();
  queue = await openQueue(server.url);
  healthPort = await freePort();
  writeFileSync(join(folder, 'fleet.yaml'), fleetFile);
  // No token of Slack and no SSH key: it has nobody to talk to but Redis.
  const env = {
    FLEETBOT_ROLE: 'signer',
    FLEETBOT_FLEET_FILE: join(folder, 'fleet.yaml'),
    FLEETBOT_CAPSULE_KEY: pem(capsuleKey),
    FLEETBOT_DECISION_PUBLIC_KEYS: publicKeyLine(botKey),
    FLEETBOT_HEALTH_PORT: String(healthPort),
    REDIS_URL: server.url,
  };
  signer = spawn(process.execPath, [main, 'start'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  signer.stderr?.on('data', (text: Buffer) => {
    log += text.toString();
  });
  await vi.waitFor(
    async () => expect(await answersOk(`http://127.0.0.1:${healthPort}/readyz`)).toBe(true),
    startTimeoutMs,
  );
});

afterAll(async () => {
  signer?.kill('SIGKILL');
  await queue?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A run that Ann asked for and that these votes approved, as the queue keeps it. */
async function approved(
  votes = [{ by: person('U0BOB'), at: Date.now() }],
): Promise<{ run: Run; fence: number }> {
  const acceptedAt = Date.now() - 120_000;
  const task = { kind: 'act', action: 'vacuum-journal', params: {} } as const;
  const request = sealed(aRequest({ machine: 'web-01', task, requester: person('U0ANN'), acceptedAt }));
  const { runIds } = await queue.requests.accept([request], noLimits);
  const [id = ''] = runIds;
  const first = await queue.runs.claim('web-01');
  if (first?.run.id !== id) throw new Error('the machine has something else to do');
  const { approval } = approvedRun({ id, acceptedAt, votes });
  const gathering = await queue.runs.save(moveRun(first.run, 'gathering', Date.now()), 'queued', first.fence);
  const waiting: Approval = { ...approval, state: 'waiting', votes: [] };
  const asking = moveRun(gathering, 'awaiting', Date.now(), { approval: waiting });
  await queue.runs.save(asking, 'gathering', first.fence);
  await queue.approvals.change(id, (run) => settle(run, approval, 'approved', Date.now()));
  const again = await queue.runs.claim('web-01');
  if (again?.run.id !== id) throw new Error('what was approved is not next');
  return again;
}

/** The run leaves the machine's hands. */
async function leave({ run, fence }: { run: Run; fence: number }): Promise<void> {
  await queue.runs.save(moveRun(run, 'done', Date.now(), { verdict: 'failed' }), 'approved', fence);
}

function capsuleOf({ run, fence }: { run: Run; fence: number }): Promise<SignedCapsule> {
  const { traceparent } = askFor(run);
  return queue.signer.capsule({ run, fence, traceparent }, AbortSignal.timeout(startTimeoutMs));
}

/** Writes a run's votes straight into Redis. */
async function writeVotes(run: Run, votes: readonly Vote[]): Promise<void> {
  const redis = new Redis(server.url);
  const key = new Keys(queueDefaults.prefix).run(run.id);
  await redis.hset(key, 'body', JSON.stringify({ ...run, approval: { ...run.approval, votes } }));
  redis.disconnect();
}

describe('a process that is nothing but a signer', () => {
  it('tells when it is ready which keys it goes by', async () => {
    await vi.waitFor(() => expect(log).toContain('"msg":"ready"'), startTimeoutMs);
    const ready = log.split('\n').find((line) => line.includes('"msg":"ready"'));
    expect(JSON.parse(ready ?? '')).toMatchObject({
      fingerprints: { capsule: fingerprint(capsuleKey), decisionsBelieved: [fingerprint(botKey)] },
    });
  });

  it('signs for a worker what people approved', async () => {
    const claim = await approved();
    const { capsule, signature } = await capsuleOf(claim);
    expect(signerOf([createPublicKey(capsuleKey)], capsuleNamespace, capsule, signature)).toBeDefined();
    expect(capsuleSchema.parse(JSON.parse(capsule))).toMatchObject({
      ...{
        run: claim.run.id,
        fence: claim.fence,
        argv: ['journalctl', '--vacuum-size=200M'],
        approvedBy: ['U0BOB'],
      },
    });
    await leave(claim);
  });

  it.each([
    ['unsigned', () => ''],
    ['signed by another key', (vote: Vote) => createSeals(newKey()).decision(vote.decision)],
  ])('refuses a decision that was written straight into Redis, %s', async (_how, sign) => {
    const claim = await approved();
    const votes = claim.run.approval?.votes ?? [];
    await writeVotes(
      claim.run,
      votes.map((vote) => ({ ...vote, signature: sign(vote) })),
    );
    await expect(capsuleOf(claim)).rejects.toMatchObject({
      ...{ code: 'signer-refused', message: expect.stringContaining('is not signed by a bot') },
    });
    await leave(claim);
  });

  it('refuses what nobody approved, whoever asks for it', async () => {
    const claim = await approved();
    await writeVotes(claim.run, []);
    await expect(capsuleOf(claim)).rejects.toMatchObject({ code: 'signer-refused' });
    await leave(claim);
  });

  it('tells on its page what it is and what it did', async () => {
    const page = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text();
    expect(page).toMatch(/fleetbot_build_info\{.*role="signer".*\} 1/);
    expect(page).toContain('fleetbot_capsules_total{outcome="signed"} 1');
    expect(page).toContain('fleetbot_capsules_total{outcome="refused"} 3');
  });

  it('ends at once when it is told to', async () => {
    const ended = once(signer, 'exit', { signal: AbortSignal.timeout(stopTimeoutMs) });
    signer.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});
