import { z } from 'zod';
import { commandOutputSchema } from '../../fleet/evidence.ts';

/**
 * How the agent asks the machine's broker for a command: messages over the channel that the machine opened
 * when it started the agent. The channel is the proof of identity and ends with the activation, so nothing
 * outside an activation can ask, and nothing in a message says who asks.
 */
export const hostCallSchema = z.strictObject({
  id: z.int().nonnegative(),
  argv: z.array(z.string()).min(1).max(64),
});

export const hostReplySchema = z.strictObject({
  id: z.int().nonnegative(),
  /** null: this command is not on the broker's list and was not run. */
  output: commandOutputSchema.nullable(),
});

export type HostReply = z.infer<typeof hostReplySchema>;
