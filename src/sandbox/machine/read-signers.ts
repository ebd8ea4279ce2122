import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readPublicKeyLine } from '../../fleet/ssh-signature.ts';

/** The keys of a file with one key of OpenSSH in each line; empty lines are left out. */
export function readSigners(file: string): readonly KeyObject[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => readPublicKeyLine(line) ?? []);
}
