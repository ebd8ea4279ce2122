import ssh2 from 'ssh2';

/** An ed25519 key pair: the private part in OpenSSH format, the public one as `ssh-ed25519 BASE64`. */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** A new key pair. ssh2 1.17 writes about 1 key of 600 in a form that it cannot read back: those are thrown away. */
export function newKeyPair(): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (ssh2.utils.parseKey(pair.private) instanceof Error) continue;
    return { privateKey: pair.private, publicKey: pair.public.trim() };
  }
}
