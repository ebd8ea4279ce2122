import { canonicalJson } from '../../src/fleet/canonical-json.ts';
import type { Capsule, SignedCapsule } from '../../src/fleet/capsule.ts';
import { requesterWord } from '../../src/fleet/requester.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { Signer } from '../../src/supervisors/ports.ts';

const lifetimeMs = 60_000;

/** Makes capsules of whatever it is asked for, for machines that believe every signature. */
export class BlindSigner implements Signer {
  async capsule(ask: {
    readonly run: Run;
    readonly fence: number;
    readonly traceparent: string;
  }): Promise<SignedCapsule> {
    const { run, fence, traceparent } = ask;
    const { question, votes } = run.approval ?? {};
    if (question?.subject.kind !== 'action') throw new Error(`run ${run.id} has no action to sign`);
    const now = Date.now();
    const { action, argv, digest } = question.subject;
    const capsule: Capsule = {
      ...{ version: 1, id: question.id, machine: question.machine, fence, run: run.id, traceparent },
      ...{ action, argv, digest, requestedBy: requesterWord(question.requester) },
      approvedBy: (votes ?? []).map(({ decision }) => decision.by.userId),
      ...{ signedAt: now, expiresAt: now + lifetimeMs },
    };
    return { capsule: canonicalJson(capsule), signature: 'believed' };
  }
}
