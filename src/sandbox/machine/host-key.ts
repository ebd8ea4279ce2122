import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { FleetbotError } from '../../fleet/errors.ts';
import { newKeyPair } from '../key-pair.ts';

const fileName = 'host-key';

/** An SSH host key: the private part as PEM (OpenSSH format), the public one as in `known_hosts`. */
export interface HostKey {
  readonly privatePem: string;
  readonly publicLine: string;
}

/**
 * The machine's host key: the one given, else the one in its state directory, else a new ed25519 key that is
 * kept there, so that a restarted machine is still the one that was pinned.
 * @throws FleetbotError `host-key-unusable`
 */
export async function loadHostKey(stateDir: string, given: string | undefined): Promise<HostKey> {
  const privatePem = given ?? (await keptKey(stateDir));
  const key = ssh2.utils.parseKey(privatePem);
  if (key instanceof Error) {
    throw new FleetbotError('host-key-unusable', 'The SSH host key is not a private key in OpenSSH format.', {
      cause: key,
    });
  }
  return { privatePem, publicLine: `${key.type} ${key.getPublicSSH().toString('base64')}` };
}

async function keptKey(stateDir: string): Promise<string> {
  const file = join(stateDir, fileName);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const { privateKey: privatePem } = newKeyPair();
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await writeFile(file, privatePem, { mode: 0o600, flag: 'wx' });
  return privatePem;
}
