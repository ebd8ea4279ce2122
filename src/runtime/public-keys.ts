import type { KeyObject } from 'node:crypto';
import { readPublicKeyLine } from '../fleet/ssh-signature.ts';

/**
 * The keys of a text with one line of OpenSSH (`ssh-ed25519 BASE64`) for each; empty lines and those that begin with
 * `#` do not count. undefined where a line is no such key, or there is none.
 */
export function readPublicKeys(text: string): readonly KeyObject[] | undefined {
  const lines = text.split('\n').filter((line) => !/^\s*(?:#|$)/.test(line));
  const keys = lines.flatMap((line) => readPublicKeyLine(line) ?? []);
  return keys.length === lines.length && keys.length > 0 ? keys : undefined;
}
