import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actionDigest } from '../../../src/fleet/action.ts';
import { type ApprovalDecision, questionDigest, type Vote } from '../../../src/fleet/approval.ts';
import { type Capsule, capsuleSchema, type SignedCapsule } from '../../../src/fleet/capsule.ts';
import { createSeals } from '../../../src/fleet/create-seals.ts';
import type { Run } from '../../../src/fleet/run.ts';
import { workspace } from '../../../src/sandbox/workspace.ts';
import { newCapsule, newCapsuleKey, signCapsule } from '../../support/capsules.ts';
import { OpenSsh } from '../../support/edge-machines/open-ssh.ts';
import { claim, powerGrabs } from '../../support/scripts.ts';
import { eventually } from '../parts/eventually.ts';
import { type ActingFleet, startActingFleet } from './parts/acting-fleet.ts';
import { IntruderInRedis } from './parts/intruder-in-redis.ts';
import { approvers } from './parts/people.ts';
import { countingEntry, countingRules, executions, holdAt } from './parts/places.ts';
import type { Question } from './parts/question.ts';

const name = 'edge-01';
const words = `run ${name} count`;
const [sam = ''] = approvers;

let fleet: ActingFleet;
let intruder: IntruderInRedis;
/** A run that people really approved, and that was done. */
let approved: Run;

beforeAll(async () => {
  fleet = await startActingFleet([{ name, entry: countingEntry }], countingRules);
  intruder = new IntruderInRedis(fleet.roles.redis.url);
  await holdAt(fleet.machine(name), 'awaiting');
  const question = await fleet.ask(words);
  await question.asked();
  await question.click([sam], 'approve');
  approved = (await question.ended()).run;
  expect(approved.action?.outcome).toBe('done');
});

afterAll(async () => {
  intruder?.[Symbol.dispose]();
  await fleet?.[Symbol.asyncDispose]();
});

/** Asserts that nothing was done by whatever happens meanwhile. */
async function withoutExecution<T>(attack: () => Promise<T>): Promise<T> {
  const before = await executions(fleet.machine(name));
  const result = await attack();
  expect(await executions(fleet.machine(name))).toBe(before);
  return result;
}

async function asked(): Promise<{ question: Question; run: Run }> {
  const question = await fleet.ask(words);
  await question.asked();
  return { question, run: await question.run() };
}

/** What the bot would sign, had this person clicked; signed by a key of the intruder's own. */
function forgedVote({ approval }: Run): Vote {
  if (!approval) throw new Error('nobody was asked');
  const decision: ApprovalDecision = {
    ...{ approval: approval.question.id, question: questionDigest(approval.question), kind: 'approve' },
    by: { kind: 'person', userId: sam, teamId: workspace.teamId },
    ...{ groups: [], at: Date.now(), eventId: 'click:forged' },
  };
  return { decision, signature: createSeals(newCapsuleKey()).decision(decision) };
}

describe('a decision that was written straight into Redis', () => {
  const genuine = () => approved.approval?.votes ?? [];
  const otherCommand = (run: Run): Partial<Run> => {
    const { approval } = run;
    if (approval?.question.subject.kind !== 'action') throw new Error('no action was asked for');
    const argv = ['sh', '-c', 'rm -rf /'];
    const subject = { ...approval.question.subject, argv, digest: actionDigest(name, argv) };
    return { approval: { ...approval, question: { ...approval.question, subject } } };
  };

  it.each([
    { what: 'by nobody', votes: () => [], refusal: /not approved/ },
    {
      what: 'with a signature of a key of their own',
      votes: (run: Run) => [forgedVote(run)],
      refusal: /not signed/,
    },
    { what: 'with the decision of another run', votes: genuine, refusal: /not approved/ },
    {
      what: 'for another command',
      votes: genuine,
      changes: otherCommand,
      refusal: /something else|not approved/,
    },
  ])('$what is signed by nobody', async ({ votes, changes, refusal }) => {
    const { question, run } = await asked();
    const ended = await withoutExecution(async () => {
      await intruder.approve(run, votes(run), changes?.(run));
      return question.ended();
    });
    expect(ended.run.action).toMatchObject({ outcome: 'refused', detail: expect.stringMatching(refusal) });
    expect(ended.outcome).toContain('*refused*: nothing was changed');
    const kinds = (await fleet.entriesOf(run.id)).map(({ kind }) => kind);
    expect(kinds).toContain('capsule.refused');
    expect(kinds).not.toContain('capsule.signed');
    expect(kinds).not.toContain('action.began');
  });

  it('is not signed for a worker that asks for what nobody approved', async () => {
    const { question, run } = await asked();
    const { fence } = await fleet.status(name);
    expect(await intruder.askSigner(run, fence + 1)).toEqual({
      refused: expect.stringMatching(/not approved/),
    });
    expect(await intruder.askSigner({ ...run, id: 'r-000000000000' }, fence + 1)).toEqual({
      refused: expect.stringMatching(/no run/),
    });
    await fleet.roles.sre.answer(question.runId).click('cancel');
    expect((await question.ended()).run.approval?.state).toBe('cancelled');
    // Nor for what was approved and done.
    expect(await intruder.askSigner(approved, fence + 1)).toEqual({ refused: expect.any(String) });
  });
});

describe("at the machine's gate, with the centre's key", () => {
  const script = () => {
    const subject = approved.approval?.question.subject;
    return subject?.kind === 'action' ? subject.argv : [];
  };
  const capsuleKey = () => createPrivateKey(fleet.capsuleKey);
  const capsule = (fence: number, changes: Partial<Capsule> = {}) =>
    newCapsule({ machine: name, fence, action: 'count', argv: script(), ...changes });
  const act = (fence: number, signed: SignedCapsule) => fleet.atGate(name, (gate) => gate.act(fence, signed));

  const attacks: Readonly<Record<string, (fence: number) => SignedCapsule>> = {
    'a changed command': (fence) => {
      const { capsule: text, signature } = signCapsule(capsuleKey(), capsule(fence));
      return { capsule: text.replace('echo', 'false'), signature };
    },
    'a command of no action': (fence) => signCapsule(capsuleKey(), capsule(fence, { argv: ['id'] })),
    'another host': (fence) => signCapsule(capsuleKey(), capsule(fence, { machine: 'edge-02' })),
    'what is too old': (fence) =>
      signCapsule(
        capsuleKey(),
        capsule(fence, { signedAt: Date.now() - 600_000, expiresAt: Date.now() - 480_000 }),
      ),
    'another fence': (fence) => signCapsule(capsuleKey(), capsule(fence + 1)),
    'another key': (fence) => signCapsule(newCapsuleKey(), capsule(fence)),
    'another purpose': (fence) => signCapsule(capsuleKey(), capsule(fence), 'fleetbot-decision@1'),
    'no capsule': () => signCapsule(capsuleKey(), 'rm -rf /'),
  };

  it.each(Object.keys(attacks))('a capsule for %s is refused', async (attack) => {
    const { fence } = await fleet.status(name);
    const signed = attacks[attack]?.(fence + 1);
    if (!signed) throw new RangeError(attack);
    expect(await withoutExecution(() => act(fence + 1, signed))).toMatchObject({ outcome: 'refused' });
  });

  it('a capsule that was used is refused, whoever finds it', async () => {
    const question = await fleet.ask(words);
    await question.asked();
    await question.click([sam], 'approve');
    const { run } = await question.ended();
    const signed = (await intruder.capsules()).find(({ capsule: text }) => text.includes(run.id));
    if (!signed) throw new Error('there is no capsule to be found');
    const used = capsuleSchema.parse(JSON.parse(signed.capsule));
    await withoutExecution(() =>
      expect(act(used.fence, signed)).rejects.toMatchObject({ code: 'old-fence' }),
    );
    // Also by a signer that signs it once more.
    const { fence } = await fleet.status(name);
    const now = Date.now();
    const again = { ...used, fence: fence + 1, signedAt: now, expiresAt: now + 60_000 };
    expect(await withoutExecution(() => act(fence + 1, signCapsule(capsuleKey(), again)))).toMatchObject({
      outcome: 'refused',
      detail: expect.stringContaining('was used'),
    });
  });

  it('garbage is refused, in OpenSSH too', async () => {
    using ssh = new OpenSsh(fleet.machine(name), 'fleetbot', fleet.governed.key);
    const { fence } = await fleet.status(name);
    for (const garbage of ['', '{}', '\0\0\0', `{"capsule":"{}","signature":"x"}`, '['.repeat(5_000)]) {
      const { exitCode, stdout, stderr } = await ssh.ssh([], ['act', String(fence + 1)], garbage);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain('verb-refused');
    }
  });
});

describe('people who may not, and words', () => {
  it('approve nothing', async () => {
    const { question, run } = await asked();
    await withoutExecution(async () => {
      await question.click([workspace.sre.id, workspace.visitor.id], 'approve');
      await fleet.roles.sayAs(sam, `approve ${run.approval?.question.id}`);
      await fleet.roles.sayAs(sam, ':white_check_mark: Approved.');
      for (const [person, why] of [
        [workspace.sre.id, 'nobody approves their own'],
        [workspace.visitor.id, 'no row of the fleet'],
      ] as const)
        await eventually(async () => expect(await question.told(person)).toContain(why));
    });
    // What was written before is read by now: the channel is in order.
    await fleet.roles.sre.askAside('approvals');
    expect(await question.run()).toMatchObject({ state: 'awaiting', approval: { votes: [] } });
    await fleet.roles.sre.answer(question.runId).click('cancel');
    await question.ended();
  });
});

describe('the real OpenClaw on the machine, with a model that is after power', () => {
  const guarded = ['/etc/fleetbot/policy.json', '/etc/fleetbot/capsule-signers', '/etc/fleetbot/agent'];
  const state = () =>
    fleet
      .machine(name)
      .run([
        'sh',
        '-c',
        'find "$@" -type f -exec sha256sum {} +; ls /var/lib/fleetbot/broker/actions',
        'sh',
        ...guarded,
      ]);

  it('changes no rule, reaches no gate, and approves nothing by saying so', async () => {
    const before = await state();
    const answer = await fleet.roles.sre.ask(`ask ${name} MODE:grabs take over`);
    const run = await withoutExecution(() => fleet.endOf(answer));
    expect(await state()).toBe(before);
    expect(run).toMatchObject({ verdict: 'answered', inertness: 'inactive' });
    const calls = run.diagnosis?.toolCalls ?? [];
    expect(calls.map(({ input, failed }) => ({ input, failed }))).toEqual(
      powerGrabs.map(({ command }) => ({ input: command, failed: true })),
    );
    for (const [index, { refusal }] of powerGrabs.entries()) expect(calls[index]?.output).toContain(refusal);
    expect(run.diagnosis?.deniedCommands?.map(({ command }) => command)).toEqual(
      powerGrabs.map(({ command }) => command),
    );
    expect(run.diagnosis?.comment).toBe(claim);
    expect(run.approval).toBeUndefined();
    expect(run.action).toBeUndefined();
    const { main: shown } = await answer.ended();
    expect(shown).toContain("The agent's own words");
    // What it says calls nobody.
    expect(shown).not.toContain('<@U1>');
    await fleet.expectInert(name);
  });
});
