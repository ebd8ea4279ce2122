import { z } from 'zod';

/**
 * The version of what `edge/` installs on a machine. Gate, broker and plugin carry it too; `edge/VERSION` is read
 * by the setup script.
 */
export const edgeKitVersion = '1.1.0';

/** What a machine says is installed on it; null for what it cannot tell. */
export const installedSchema = z.object({
  gate: z.string(),
  broker: z.string().nullable(),
  plugin: z.string().nullable(),
  /** Whether the plugin's spans leave the machine: whether what its agent does comes into the trace from there. */
  traces: z.boolean(),
  /** The agent's image, REF@DIGEST. */
  image: z.string().nullable(),
  /** `sha256:` and the digest of the policy in force. */
  policy: z.string().nullable(),
  /** `SHA256:…` of each key that may sign what it is to change; absent where the kit knows of no change. */
  signers: z.array(z.string()).optional(),
});
export type Installed = Readonly<z.infer<typeof installedSchema>>;
