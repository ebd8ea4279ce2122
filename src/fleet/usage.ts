import { z } from 'zod';

/** The tokens that an activation of an agent used, all model calls together. */
export const usageSchema = z.object({
  /** What came from a cache, or went into one, included. */
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  /** Of the input, read from a cache; absent where the transport does not tell. */
  cacheReadTokens: z.int().nonnegative().optional(),
  /** Of the input, written into a cache; absent where the transport does not tell. */
  cacheWriteTokens: z.int().nonnegative().optional(),
});
export type Usage = z.infer<typeof usageSchema>;
