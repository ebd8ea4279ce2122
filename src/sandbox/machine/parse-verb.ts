import { z } from 'zod';
import { runIdPattern } from '../../edge-client/gate-protocol.ts';
import { approvalIdPattern } from '../../fleet/approval.ts';
import { nameSchema } from '../../fleet/machine.ts';

const longestReason = 200;

/** At most 15 digits: always exact as a JavaScript number. */
const fence = z
  .string()
  .regex(/^[1-9][0-9]{0,14}$/)
  .transform(Number);
const run = z.string().regex(runIdPattern);
/** W3C Trace Context version 00; ids of only zeros are invalid there. */
const traceparent = z.string().regex(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/);
const word = z.string().regex(/^[^\p{C}\p{Z}]+$/u);

/** Words that stood between single spaces: a double space leaves an empty word, which nothing here matches. */
const verbSchema = z.union([
  z.tuple([z.literal('status')]).transform(([verb]) => ({ verb })),
  z
    .tuple([z.literal('start'), fence, run, traceparent])
    .transform(([verb, fence, run, traceparent]) => ({ verb, fence, run, traceparent })),
  z.tuple([z.literal('connect'), fence]).transform(([verb, fence]) => ({ verb, fence })),
  z.tuple([z.literal('stop'), fence]).transform(([verb, fence]) => ({ verb, fence })),
  z
    .tuple([z.literal('evidence'), fence, nameSchema])
    .transform(([verb, fence, check]) => ({ verb, fence, check })),
  z.tuple([z.literal('act'), fence]).transform(([verb, fence]) => ({ verb, fence })),
  z
    .tuple([z.literal('result'), z.string().regex(approvalIdPattern)])
    .transform(([verb, id]) => ({ verb, id })),
  z
    .tuple([z.literal('lock'), word], word)
    .transform(([verb, ...words]) => ({ verb, reason: words.join(' ') }))
    .refine(({ reason }) => [...reason].length <= longestReason),
  z.tuple([z.literal('unlock')]).transform(([verb]) => ({ verb, reason: undefined })),
  z
    .tuple([z.literal('unlock'), word], word)
    .transform(([verb, ...words]) => ({ verb, reason: words.join(' ') })),
]);

/** A request to the gate that follows the grammar of `gate-protocol.ts`. */
export type Verb = z.infer<typeof verbSchema>;

/** Reads a request to the gate; undefined for anything that is not exactly in the grammar. */
export function parseVerb(line: string): Verb | undefined {
  return verbSchema.safeParse(line.split(' ')).data;
}
