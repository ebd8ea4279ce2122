import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { type ApprovalDecision, questionDigest } from '../../src/fleet/approval.ts';
import { capsuleNamespace, signedCapsuleSchema } from '../../src/fleet/capsule.ts';
import { castVote } from '../../src/fleet/cast-vote.ts';
import { createSeals } from '../../src/fleet/create-seals.ts';
import { newSigningKeyPair } from '../../src/fleet/signing-key.ts';
import { signerOf } from '../../src/fleet/ssh-signature.ts';
import { createSigner, type Signer } from '../../src/signer/create-signer.ts';
import { authorised, catalogue, openActing, vacuum } from './acting-machine.ts';
import { type SupervisedMachine, supervisedMachines } from './supervised-machine.ts';

const open = supervisedMachines();

const newKey = (): KeyObject => createPrivateKey(newSigningKeyPair().privateKey);
const capsuleKey = newKey();
const botKey = newKey();
const access = `access:
  - { groups: [S0OPS], machines: all, verbs: [act] }
  - { people: [U0BOB], machines: all, verbs: [approve] }
`;
const log = pino({ level: 'silent' });

let signer: Signer | undefined;
afterEach(async () => {
  await signer?.stop();
  signer = undefined;
});

/** A machine whose worker asks a signer over Redis, which knows the bot's key. */
async function openSigned(withSigner = true): Promise<SupervisedMachine> {
  const queue = { signTimeoutMs: withSigner ? 5_000 : 50 };
  const on = await openActing(open, {}, { yaml: authorised, rest: `${access}${catalogue}`, queue });
  on.signer = on.queue.signer;
  if (!withSigner) return on;
  signer = createSigner({
    ...{ asks: on.queue.signingAsks, runs: on.queue.requests, ledger: on.queue.ledger },
    meter: { signed: () => undefined, refused: () => undefined },
    fleet: () => on.fleet,
    ...{ capsuleKey, decisionKeys: [createPublicKey(botKey)] },
    ...{ capsuleLifetimeMs: 60_000, requestMaxAgeMs: 60_000, clock: Date.now, log },
  });
  signer.start();
  return on;
}

/** Ann asks for the action, by a bot with this key; Bob approves by one with the other key. */
async function approve(on: SupervisedMachine, bobsBot: KeyObject): Promise<string> {
  const id = await on.request(vacuum, createSeals(botKey).request);
  await on.driveNext();
  await on.queue.approvals.change(id, (run) => {
    const machine = on.fleet.machines.get('rhel-01');
    if (!run.approval || !machine) throw new Error(`run ${id} asks nothing`);
    const { question } = run.approval;
    const decision: ApprovalDecision = {
      ...{ approval: question.id, question: questionDigest(question), kind: 'approve', groups: [] },
      by: { kind: 'person', userId: 'U0BOB', teamId: 'T1' },
      ...{ at: Date.now(), eventId: 'Ev-approve' },
    };
    const vote = { decision, signature: createSeals(bobsBot).decision(decision) };
    const cast = castVote(run, vote, on.fleet, machine, Date.now());
    if ('refused' in cast) throw new Error(cast.refused);
    return cast;
  });
  return id;
}

it('what people approved is signed by a signer that believes no record, for this fence and this machine', async () => {
  await using on = await openSigned();
  const id = await approve(on, botKey);
  const sent: unknown[] = [];
  const act = on.machine.act.bind(on.machine);
  on.machine.act = (fence, capsule) => {
    sent.push(capsule);
    return act(fence, capsule);
  };
  expect(await on.driveNext()).toMatchObject({
    id,
    verdict: 'ok',
    action: { outcome: 'done', effect: 'confirmed' },
  });
  expect(on.machine.executions).toMatchObject([
    {
      machine: 'rhel-01',
      run: id,
      requestedBy: 'U1',
      approvedBy: ['U0BOB'],
      argv: ['journalctl', '--vacuum-size=100M'],
    },
  ]);
  const { capsule, signature } = signedCapsuleSchema.parse(sent[0]);
  expect(signerOf([createPublicKey(capsuleKey)], capsuleNamespace, capsule, signature)).toBeDefined();
});

it('what somebody else than a bot wrote into the record changes nothing, and says so', async () => {
  await using on = await openSigned();
  await approve(on, newKey());
  const run = await on.driveNext();
  expect(run).toMatchObject({
    verdict: 'failed',
    failure: { code: 'signer-refused' },
    action: { outcome: 'refused' },
  });
  expect(on.machine.executions).toEqual([]);
});

it('what no signer is there for changes nothing', async () => {
  await using on = await openSigned(false);
  await approve(on, botKey);
  const run = await on.driveNext();
  expect(run).toMatchObject({ failure: { code: 'signer-away' }, action: { outcome: 'not-begun' } });
  expect(on.machine.executions).toEqual([]);
});
