import { createHash } from 'node:crypto';
import type { ServerHostKeyAlgorithm } from 'ssh2';

/** The host key that a machine must show, taken from the fleet file. */
export interface PinnedHostKey {
  /** The key's wire form, as the server sends it. */
  readonly raw: Buffer;
  /** The only host key algorithms that may be negotiated: those of the pinned key's type. */
  readonly algorithms: ServerHostKeyAlgorithm[];
}

/** Algorithms by key type. RSA keys sign with SHA-2 only; `ssh-rsa` (SHA-1) is not accepted. */
const algorithmsByType: Readonly<Record<string, ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** Reads a machine's `hostKey`, whose form the fleet file's schema has checked. */
export function pinnedHostKey(hostKey: string): PinnedHostKey {
  const [type = '', base64 = ''] = hostKey.split(' ');
  return { raw: Buffer.from(base64, 'base64'), algorithms: algorithmsByType[type] ?? [] };
}

/** The fingerprint as OpenSSH prints it: `SHA256:` and base64 without padding. */
export function fingerprint(raw: Buffer): string {
  return `SHA256:${createHash('sha256').update(raw).digest('base64').replace(/=+$/, '')}`;
}
