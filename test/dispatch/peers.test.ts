import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPeers, type PeerTools } from '../../src/dispatch/peers.ts';
import { LimitError } from '../../src/fleet/errors.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { peersFor } from '../../src/fleet/peers.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { kernelFinding, kernelRun, machineIn, peerFleet } from '../fleet/peer-fixtures.ts';
import { aCampaign, aRequest, openQueue } from '../queue/support.ts';
import { noBudgets, noLimits } from '../support/no-limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const windowMinutes = 0.005;
const windowMs = windowMinutes * 60_000;
const runsOfProperty = 30;

let redis: TestRedis;
let queue: Queue;
let round = 0;
let runs = 0;
let fleet: Fleet;
/** Names that a silence holds back. */
let silenced: readonly string[];

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await openQueue(redis.url);
});
afterAll(async () => {
  await queue?.close();
  await redis?.stop();
});
beforeEach(() => {
  silenced = [];
  fleet = newFleet(4, '');
});

/** Machines with names that no test before had. */
function newFleet(count: number, more: string): Fleet {
  round += 1;
  const machines = Array.from({ length: count }, (_, index) => `name: m${round}-${index}, role: web`);
  return peerFleet(`{ rules: [{ check: kernel, same: role }]${more} }`, machines);
}

const name = (index: number) => `m${round}-${index}`;

/** A run of this machine that found it, because a person asked. */
function found(index: number, changes: Partial<Run> = {}): Run {
  runs += 1;
  return kernelRun(`r-${String(runs).padStart(12, '0')}`, name(index), changes);
}

const tools = (changes: Partial<PeerTools> = {}): PeerTools => ({
  fleet: () => fleet,
  requests: queue.requests,
  halts: queue.halts,
  budgets: noBudgets,
  holdBack: async (machines) =>
    machines
      .filter((machine) => silenced.includes(machine.name))
      .map((machine) => ({ machine: machine.name, why: 'silenced until tomorrow' })),
  claims: queue.peerClaims,
  machinesOf: async (id) => (await queue.requests.campaign(id))?.campaign.machines ?? [],
  clock: () => 1_800_000_000_000,
  ...changes,
});

const ask = (run: Run, changes: Partial<PeerTools> = {}) =>
  createPeers(tools(changes)).ask(run, peersFor(fleet, machineIn(fleet, run.request.machine), run));

const campaign = async (id = '') => (await queue.requests.campaign(id))?.campaign;

describe('a supervisor that asks others', () => {
  it('has them make the same check, in one campaign in the thread of its run, without a seal', async () => {
    const run = found(0);
    const asked = await ask(run);
    expect(asked?.machines).toEqual([name(1), name(2), name(3)]);
    const peers = await queue.requests.campaign(asked?.campaign ?? '');
    const requester = { kind: 'supervisor', machine: name(0), run: run.id, hops: 1, trace: run.trace };
    expect(peers?.campaign).toMatchObject({
      requester,
      task: { kind: 'check', check: 'kernel' },
      origin: { channel: 'C0OPS', under: run.id },
    });
    const peer = await queue.requests.run(peers?.members[0]?.runId ?? '');
    expect(peer?.request).toMatchObject({ requester, campaign: asked?.campaign, eventId: `peers:${run.id}` });
    expect(peer?.request.seal).toBeUndefined();
  });

  it('has no seal even where there is a key for one', async () => {
    const sealing = Object.assign(tools(), { seal: () => 'a seal' });
    const run = found(0);
    const asked = await createPeers(sealing).ask(run, [machineIn(fleet, name(1))]);
    const [peer] = (await queue.requests.campaign(asked?.campaign ?? ''))?.members ?? [];
    expect((await queue.requests.run(peer?.runId ?? ''))?.request.seal).toBeUndefined();
  });

  it('passes on nothing but checks', async () => {
    const { request, ...run } = found(0);
    const others = [machineIn(fleet, name(1))];
    const act = { kind: 'act', action: 'vacuum-journal', params: {} } as const;
    for (const task of [act, { kind: 'ask', question: 'Why?' } as const]) {
      expect(
        await createPeers(tools()).ask({ ...run, request: { ...request, task } }, others),
      ).toBeUndefined();
    }
    expect((await queue.requests.machine(name(1))).waiting).toBe(0);
  });

  it('answers in the thread in which its own answer stands', async () => {
    const { request, ...run } = found(0);
    const inThread = { ...run, request: { ...request, origin: { channel: 'C1', threadTs: '1.2' } } };
    expect((await campaign((await ask(inThread))?.campaign))?.origin).toEqual({
      channel: 'C1',
      threadTs: '1.2',
    });
    fleet = newFleet(3, '');
    const ofCampaign = found(0);
    const member = { ...ofCampaign, request: { ...ofCampaign.request, campaign: 'c-first' } };
    expect((await campaign((await ask(member))?.campaign))?.origin).toEqual({
      channel: 'C0OPS',
      under: 'c-first',
    });
  });

  it('comes to the same campaign when it asks again after a crash', async () => {
    const run = found(0);
    const first = await ask(run);
    expect(await ask(run)).toEqual(first);
    expect((await queue.requests.machine(name(1))).waiting).toBe(1);
  });

  it('goes on where a crash left only its claims', async () => {
    const run = found(0);
    const requests = Object.assign(Object.create(queue.requests), {
      acceptedBefore: () => Promise.reject(new Error('killed')),
    });
    await expect(ask(run, { requests })).rejects.toThrow('killed');
    expect((await ask(run))?.machines).toEqual([name(1), name(2), name(3)]);
  });
});

describe('a machine that was asked', () => {
  it('is not asked the same again within the window, whoever finds it', async () => {
    fleet = newFleet(4, `, machinesPerFinding: 1, windowMinutes: ${windowMinutes}`);
    expect((await ask(found(0)))?.machines).toEqual([name(1)]);
    const again = found(2);
    expect(await ask(again)).toBeUndefined();
    expect(await campaign(`c-${again.id.slice(2)}`)).toBeUndefined();
    await expect.poll(() => ask(found(2)), { timeout: 20 * windowMs }).toBeDefined();
  });

  it('is asked about other trouble, and those that were not asked are, with words about it', async () => {
    await ask(found(0));
    const other = { findings: [{ ...kernelFinding, subject: 'I/O error' }] };
    expect((await ask(found(1, other)))?.machines).toEqual([name(0), name(2), name(3)]);
    fleet = newFleet(4, ', machinesPerFinding: 2');
    await ask(found(0));
    fleet = { ...fleet, peers: { ...fleet.peers, machinesPerFinding: 10 } };
    const last = await ask(found(1));
    expect(last?.machines).toEqual([name(3)]);
    expect((await campaign(last?.campaign))?.leftOut).toEqual(
      [name(0), name(2)].map((machine) => ({ machine, why: expect.stringContaining('asked the same') })),
    );
  });

  it('and finds the same at the same moment does not ask back', async () => {
    const asked = await Promise.all([0, 1, 2, 3].map((index) => ask(found(index))));
    const machines = asked.flatMap((each) => each?.machines ?? []);
    expect(machines).toHaveLength(3);
    expect(new Set(machines).size).toBe(3);
  });
});

describe('nobody is bothered', () => {
  it('who is checked in the same campaign anyway; as many others are as one finding may ask', async () => {
    fleet = newFleet(5, ', machinesPerFinding: 1');
    const machines = [name(0), name(1), name(2)];
    const campaign = { ...aCampaign(`c-all${round}`, machines), task: found(0).request.task };
    const requests = machines.map((machine) => aRequest({ machine, campaign: campaign.id }));
    await queue.requests.accept(requests, noLimits, campaign);
    const { request, ...run } = found(0);
    const member = { ...run, request: { ...request, campaign: campaign.id } };
    expect((await ask(member))?.machines).toEqual([name(3)]);
    expect(await ask({ ...member, id: found(1).id })).toBeUndefined();
  });

  it('who is silenced or halted: that is told, and they can be asked later', async () => {
    silenced = [name(1)];
    const by = { kind: 'person', userId: 'U1', teamId: 'T1' } as const;
    const halt = { id: `h-${round}`, selector: name(2), reason: 'bad deploy', by, at: 1, releases: [] };
    await queue.halts.begin({ ...halt, eventId: `halt-${round}`, origin: { channel: 'C1' } }, [name(2)]);
    const asked = await ask(found(0));
    expect(asked?.machines).toEqual([name(3)]);
    expect((await campaign(asked?.campaign))?.leftOut).toEqual([
      { machine: name(2), why: expect.stringContaining('bad deploy') },
      { machine: name(1), why: 'silenced until tomorrow' },
    ]);
    silenced = [];
    expect((await ask(found(3)))?.machines).toEqual([name(1)]);
  });

  it('who are all silenced: the thread says so, and nobody counts as asked', async () => {
    silenced = [name(1), name(2), name(3)];
    const run = found(0);
    expect(await ask(run)).toBeUndefined();
    expect((await campaign(`c-${run.id.slice(2)}`))?.leftOut).toHaveLength(3);
  });

  it('by a machine that is silenced itself', async () => {
    silenced = [name(0)];
    expect(await ask(found(0))).toBeUndefined();
    expect((await queue.requests.machine(name(1))).waiting).toBe(0);
  });

  it('by a supervisor that asks too often; what it could not ask about others may', async () => {
    fleet = { ...fleet, perPerson: { requestsPerMinute: 1 } };
    await ask(found(0));
    const other = { findings: [{ ...kernelFinding, subject: 'I/O error' }] };
    await expect(ask(found(0, other))).rejects.toThrow(LimitError);
    expect((await ask(found(1, other)))?.machines).toEqual([name(2), name(3)]);
  });
});

it('whatever the rules, and however many find it, no machine is asked twice about one trouble', async () => {
  const subjects = ['kernel warnings', 'I/O error'];
  const machine = fc.nat(6);
  const plan = fc.record({
    machines: fc.integer({ min: 2, max: 7 }),
    first: fc.array(machine, { minLength: 1, maxLength: 7 }),
    /** Whom a rule names; nobody: those with the same role. */
    rules: fc.array(fc.array(machine, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
    hops: fc.integer({ min: 1, max: 5 }),
    machinesPerFinding: fc.integer({ min: 1, max: 6 }),
    troubles: fc.constantFrom(1, 2),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ machines, first, rules, troubles, ...limits }) => {
      fleet = newFleet(machines, `, hops: ${limits.hops}, machinesPerFinding: ${limits.machinesPerFinding}`);
      const own = rules.map((among) => ({
        check: 'kernel',
        ...(among.length > 0
          ? { among: among.map((index) => name(index % machines)).join(',') }
          : { same: 'role' }),
      }));
      fleet = { ...fleet, peers: { ...fleet.peers, rules: own } };
      // What a machine has it has, whoever asks.
      const findingsOf = (of: string) => {
        const subject = subjects[Number(of.split('-')[1]) % troubles] ?? '';
        return [{ ...kernelFinding, subject }];
      };
      const timesAsked = new Map<string, number>();
      let finding = [...new Set(first.map((index) => index % machines))].map((index) =>
        found(index, { findings: findingsOf(name(index)) }),
      );
      for (let passed = 0; finding.length > 0; passed += 1) {
        expect(passed).toBeLessThanOrEqual(limits.hops);
        const asked = await Promise.all(finding.map((run) => ask(run)));
        const campaigns = await Promise.all(
          asked.map((each) => queue.requests.campaign(each?.campaign ?? '')),
        );
        const ids = campaigns.flatMap((each) => each?.members.map(({ runId }) => runId) ?? []);
        const next = await Promise.all(ids.map((id) => queue.requests.run(id)));
        finding = next.flatMap((run) => (run ? { ...run, findings: findingsOf(run.request.machine) } : []));
        for (const { request } of finding)
          timesAsked.set(request.machine, (timesAsked.get(request.machine) ?? 0) + 1);
      }
      expect([...timesAsked.values()].filter((times) => times > troubles)).toEqual([]);
    }),
    { numRuns: runsOfProperty },
  );
});
