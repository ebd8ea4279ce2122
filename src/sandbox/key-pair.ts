import ssh2 from 'ssh2';

export interface KeyPair {
  readonly privateKey: string;
  /** `TYPE BASE64`, as in `authorized_keys` and in the fleet file's `hostKey`. */
  readonly publicKey: string;
}

/** A new SSH key pair. ssh2 1.17 writes about 1 of 600 ed25519 keys in a form that it cannot read back: try until it can. */
export function newKeyPair(type: 'ed25519' | 'ecdsa' | 'rsa' = 'ed25519'): KeyPair {
  for (;;) {
    const { private: privateKey } =
      type === 'ed25519'
        ? ssh2.utils.generateKeyPairSync('ed25519')
        : ssh2.utils.generateKeyPairSync(type, { bits: type === 'rsa' ? 2048 : 256 });
    const key = ssh2.utils.parseKey(privateKey);
    if (key instanceof Error) continue;
    return { privateKey, publicKey: `${key.type} ${key.getPublicSSH().toString('base64')}` };
  }
}
