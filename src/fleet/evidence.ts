import { z } from 'zod';

/** What one command printed on the host, as the machine's broker saw it; already redacted there. */
export const commandOutputSchema = z.object({
  argv: z.array(z.string()).min(1),
  /** null: the command was ended by the broker's time limit or a signal. */
  exitCode: z.int().nullable(),
  stdout: z.string(),
  stderr: z.string(),
  /** The output was longer than the broker's limit and was cut. */
  truncated: z.boolean(),
  durationMs: z.number().nonnegative(),
});

/** Everything gathered for one check, by the supervisor itself, over the gate. Never touched by a model. */
export const evidenceSchema = z.object({
  check: z.string(),
  /** Clock of the machine, ISO 8601. */
  collectedAt: z.iso.datetime(),
  outputs: z.array(commandOutputSchema),
});

export type CommandOutput = z.infer<typeof commandOutputSchema>;
export type Evidence = z.infer<typeof evidenceSchema>;
