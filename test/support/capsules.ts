import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { actionDigest } from '../../src/fleet/action.ts';
import { canonicalJson } from '../../src/fleet/canonical-json.ts';
import { type Capsule, capsuleNamespace, type SignedCapsule } from '../../src/fleet/capsule.ts';
import { signText } from '../../src/fleet/ssh-signature.ts';

/** A signer's private key. */
export function newCapsuleKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

let made = 0;

/** A capsule as the signer makes it now; of an approval of its own, unless told. */
export function newCapsule(
  changes: Partial<Capsule> & Pick<Capsule, 'machine' | 'fence' | 'action' | 'argv'>,
): Capsule {
  made += 1;
  const digits = `${process.pid.toString(36)}${made.toString(36).padStart(4, '0')}`
    .padStart(12, '0')
    .slice(-12);
  const now = Date.now();
  return {
    version: 1,
    id: `a-${digits}`,
    run: `r-${digits}`,
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    digest: actionDigest(changes.machine, changes.argv),
    requestedBy: 'U0REQUESTER',
    approvedBy: ['U0APPROVER'],
    signedAt: now,
    expiresAt: now + 60_000,
    ...changes,
  };
}

/** Signs a capsule, or any other text in the place of one. */
export function signCapsule(key: KeyObject, capsule: unknown, namespace = capsuleNamespace): SignedCapsule {
  const text = typeof capsule === 'string' ? capsule : canonicalJson(capsule);
  return { capsule: text, signature: signText(key, namespace, text) };
}
