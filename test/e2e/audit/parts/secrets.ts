import { randomBytes } from 'node:crypto';
import type { EdgeMachine } from '../../../support/edge-machines/edge-machine.ts';
import { secretFile } from './rules.ts';

/** Stands beside the secrets wherever what holds them was told, hidden. */
export const besideSecrets = `region-${randomBytes(4).toString('hex')}`;

const hex = () => randomBytes(12).toString('hex');

/** Secrets by where they were planted, none of which may be found anywhere else. */
export const secrets = {
  'a password in a file': hex(),
  'a token in a file': `ghp_${randomBytes(18).toString('hex')}`,
  'a password in a question': hex(),
  'a password in the reason of a denial': hex(),
  'a password in the reason of a rating': hex(),
} as const;

/** What somebody left in a file that checks and agents read. */
export function leaveSecrets(machine: EdgeMachine): void {
  const lines = [
    `region = ${besideSecrets}`,
    `password = ${secrets['a password in a file']}`,
    `upstream = https://ci:${secrets['a token in a file']}@git.example.com/app`,
  ];
  machine.write(secretFile, `${lines.join('\n')}\n`);
}

/** What a machine's programs print, and what its collector keeps. */
export async function everythingOnMachine(machine: EdgeMachine): Promise<Buffer> {
  const journal = await machine.run(['journalctl', '--no-pager', '--output', 'json', '--all']);
  const copies = await machine.run([
    ...['find', '/', '-xdev', '-path', '*/copy/*', '-name', 'spans*.jsonl', '-exec', 'cat', '{}', '+'],
  ]);
  return Buffer.from(journal + copies);
}
