import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/fleet/machine.ts';
import type { Requester } from '../../src/fleet/requester.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { Asked, Peers } from '../../src/supervisors/ports.ts';
import type { FakeBehaviour } from '../support/fake-machine.ts';
import { noLimits } from '../support/no-limits.ts';
import { authorised, catalogue, checkDisk, openActing } from './acting-machine.ts';
import { type SupervisedMachine, type SupervisedOptions, supervisedMachines } from './supervised-machine.ts';
import { Zombie } from './zombie.ts';

const open = supervisedMachines();

const looking = authorised.replace('diagnose: never', 'diagnose: always');
const others = ['rhel-02', 'rhel-03'];
const asked: Asked = { campaign: 'c-peers', machines: others };
const rest = (peers: string) => `${catalogue}peers: ${peers}\n`;
const byRule = rest('{ rules: [{ check: disk, among: all }] }');

/** Remembers what it was asked. */
class RecordedPeers implements Peers {
  readonly runs: Run[] = [];
  readonly machines: (readonly string[])[] = [];
  readonly #answer: () => Promise<Asked | undefined>;

  constructor(answer: () => Promise<Asked | undefined> = async () => asked) {
    this.#answer = answer;
  }

  ask(run: Run, machines: readonly Machine[]): Promise<Asked | undefined> {
    this.runs.push(run);
    this.machines.push(machines.map(({ name }) => name));
    return this.#answer();
  }
}

/** rhel-01 with a full disk, in a fleet with two others like it. */
async function opened(
  peers: Peers,
  options: SupervisedOptions = { yaml: authorised, rest: byRule },
  behaviour: Partial<FakeBehaviour> = {},
): Promise<SupervisedMachine> {
  const on = await openActing(open, behaviour, options);
  const [own] = on.fleet.machines.values();
  if (own === undefined) throw new Error('the fixture has lost its machine');
  const machines = [own, ...others.map((name) => ({ ...own, name }))].map(
    (each) => [each.name, each] as const,
  );
  on.fleet = { ...on.fleet, machines: new Map(machines) };
  on.peers = peers;
  return on;
}

describe('a run that finds something', () => {
  it('has its peers asked before people are, and its record and trace tell whom', async () => {
    const peers = new RecordedPeers();
    await using on = await opened(peers);
    const run = await on.serve(checkDisk);
    expect(peers.machines).toEqual([others]);
    expect(peers.runs[0]).toMatchObject({ id: run.id, verdict: 'critical', findings: run.findings });
    expect(run).toMatchObject({ state: 'awaiting', peers: { campaign: 'c-peers', machines: others } });
    expect(on.tracer.attributes.get('peers.ask')).toMatchObject({
      'fleet.campaign': 'c-peers',
      'fleet.peers': 'rhel-02 rhel-03',
    });
  });

  it('has them asked on the word of its agent, which is stopped by then', async () => {
    const peers = new RecordedPeers();
    const text = 'As on the others?\nPEERS: rhel-03\nVERDICT: critical';
    await using on = await opened(
      peers,
      { yaml: looking, rest: rest('{ agentsMayAskSame: role }') },
      { answer: async () => ({ text, toolCalls: [] }) },
    );
    const run = await on.serve(checkDisk);
    expect(peers.machines).toEqual([['rhel-03']]);
    expect(peers.runs[0]).toMatchObject({ inertness: 'inactive', diagnosis: { activations: 1 } });
    expect(run.peers).toBeDefined();
  });

  it('has nobody asked where it was cancelled while its agent looked', async () => {
    const peers = new RecordedPeers();
    await using on = await opened(peers, { yaml: looking, rest: byRule });
    const id = await on.request(checkDisk);
    const cancel = async (call: string) => {
      if (call === 'store stopping') await on.queue.requests.cancel(id, { userId: 'U2', at: 1 });
    };
    expect(await on.driveNext({ before: cancel })).toMatchObject({ state: 'done', verdict: 'critical' });
    expect(peers.runs).toEqual([]);
    expect(on.tracer.ended.map(({ name }) => name)).not.toContain('peers.ask');
  });

  it('has nobody asked where the news that it was cancelled comes before the record tells it', async () => {
    const peers = new RecordedPeers();
    await using on = await opened(peers, { yaml: looking, rest: byRule });
    const id = await on.request(checkDisk);
    const cancel = async (call: string) => {
      if (call !== 'stop') return;
      const news = new Promise((resolve) => on.queue.runs.onCancelled(id, resolve));
      await on.queue.requests.cancel(id, { userId: 'U2', at: 1 });
      await news;
    };
    await on.driveNext({ after: cancel });
    expect(peers.runs).toEqual([]);
  });
});

describe('peers that cannot be asked', () => {
  it.each([
    ['fails', () => Promise.reject(new Error('Redis is away'))],
    ['never ends', () => new Promise<never>(() => {})],
  ])('leave the run as it is where asking %s; its trace tells', async (_what, answer) => {
    await using on = await opened(new RecordedPeers(answer), {
      ...{ yaml: authorised, rest: byRule, settings: { peersTimeoutMs: 20 } },
    });
    const run = await on.serve(checkDisk);
    expect(run).toMatchObject({ state: 'awaiting', verdict: 'critical' });
    expect(run.peers).toBeUndefined();
    expect(on.tracer.ended).toContainEqual({ name: 'peers.ask', failed: true });
  });

  it('are not in the record where nobody is left to ask', async () => {
    await using on = await opened(new RecordedPeers(async () => undefined));
    expect((await on.serve(checkDisk)).peers).toBeUndefined();
    expect(on.tracer.ended).toContainEqual({ name: 'peers.ask', failed: false });
  });
});

it('a worker that dies after it asked leaves it to the next one to ask again, for the same run', async () => {
  const peers = new RecordedPeers();
  await using on = await opened(peers);
  await on.request(checkDisk);
  const zombie = await Zombie.at(on, 'store awaiting', 'before');
  const run = await on.driveNext().catch(() => undefined);
  expect(peers.runs.map(({ id }) => id)).toEqual([peers.runs[0]?.id, peers.runs[0]?.id]);
  expect(run?.peers).toEqual({ campaign: 'c-peers', machines: others });
  await zombie.goOn();
});

describe('what another machine’s supervisor asks for', () => {
  const requester: Requester = {
    ...{ kind: 'supervisor', machine: 'rhel-02', run: 'r-first', hops: 1 },
    trace: { traceId: 'c'.repeat(32), rootSpanId: 'd'.repeat(16) },
  };
  const request = { eventId: 'peers:r-first', machine: 'rhel-01', requester, acceptedAt: Date.now() };

  it('asks people nothing, whatever it finds, and asks no further', async () => {
    const peers = new RecordedPeers();
    await using on = await opened(peers);
    const sealed = { ...request, task: checkDisk, origin: { channel: 'C01' }, seal: 'a seal' };
    await on.queue.requests.accept([sealed], noLimits);
    const run = await on.driveNext();
    expect(run).toMatchObject({ state: 'done', verdict: 'critical' });
    expect(run.approval).toBeUndefined();
    expect(peers.runs).toEqual([]);
  });

  it('is no action', async () => {
    await using on = await opened(new RecordedPeers());
    const task = { kind: 'act', action: 'vacuum-journal', params: { size: '100M' } } as const;
    await on.queue.requests.accept([{ ...request, task, origin: { channel: 'C01' } }], noLimits);
    const run = await on.driveNext();
    expect(run).toMatchObject({
      state: 'done',
      failure: { code: 'not-sealed' },
      action: { outcome: 'refused' },
    });
    expect(on.machine.executions).toEqual([]);
  });
});
