import { z } from 'zod';
import { signedCapsuleSchema } from '../fleet/capsule.ts';
import { json } from './records.ts';

/** A worker's wish for a capsule. Whoever can write to Redis can write one: the signer believes none of it. */
const signingAskSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  run: z.string(),
  machine: z.string(),
  fence: z.int().positive(),
  traceparent: z.string(),
});
export type SigningAsk = Readonly<z.infer<typeof signingAskSchema>>;

const signingReplySchema = z.union([
  z.object({ signed: signedCapsuleSchema }),
  z.object({ refused: z.string() }),
]);
export type SigningReply = Readonly<z.infer<typeof signingReplySchema>>;

export const storedAsk = json.pipe(signingAskSchema);
export const storedReply = json.pipe(signingReplySchema);
