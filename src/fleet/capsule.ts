import { z } from 'zod';
import { approvalIdPattern } from './approval.ts';

/**
 * What was approved, in the words of the machine. The signer signs its text, `canonicalJson` of it; the machine's
 * broker holds every field against its own knowledge before it runs `argv`.
 */
export const capsuleSchema = z.strictObject({
  version: z.literal(1),
  /** The approval's: a machine runs each at most once, ever. */
  id: z.string().regex(approvalIdPattern),
  machine: z.string(),
  /** Under which it is to be run, and under no other. */
  fence: z.int().positive(),
  run: z.string(),
  /** W3C Trace Context of the span under which it runs. */
  traceparent: z.string(),
  action: z.string(),
  argv: z.array(z.string()).min(1),
  /** `actionDigest` of machine and argv: the one on the card, in the ledger and in the machine's journal. */
  digest: z.string(),
  requestedBy: z.string(),
  /** Slack ids. */
  approvedBy: z.array(z.string()).min(1),
  /** Milliseconds since the epoch, the signer's clock. */
  signedAt: z.int(),
  expiresAt: z.int(),
});
export type Capsule = z.infer<typeof capsuleSchema>;

/** SSHSIG namespace of capsules (PROTOCOL.sshsig of OpenSSH). */
export const capsuleNamespace = 'fleetbot-capsule@1';
/** The identity under which the machine's file of allowed signers lists the signer's keys (ssh-keygen(1), ALLOWED SIGNERS). */
export const capsuleSigner = 'signer@fleetbot';

/** What goes to the machine: the very text that was signed, and its armoured SSH signature. */
export const signedCapsuleSchema = z.strictObject({ capsule: z.string(), signature: z.string() });
export type SignedCapsule = z.infer<typeof signedCapsuleSchema>;
