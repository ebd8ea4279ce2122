/**
 * The version of what `edge/` installs on a machine. Gate, broker and plugin carry it too; `edge/VERSION` is read
 * by the setup script.
 */
export const edgeKitVersion = '1.0.0';

/** What a machine says is installed on it; null for what it cannot tell. */
export interface Installed {
  readonly gate: string;
  readonly broker: string | null;
  readonly plugin: string | null;
  /** Whether the plugin's spans leave the machine: whether what its agent does comes into the trace from there. */
  readonly traces: boolean;
  /** The agent's image, REF@DIGEST. */
  readonly image: string | null;
  /** `sha256:` and the digest of the policy in force. */
  readonly policy: string | null;
}
