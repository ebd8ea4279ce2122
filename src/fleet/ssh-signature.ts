import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/**
 * Detached signatures as `ssh-keygen -Y sign` makes and `ssh-keygen -Y verify` checks them, with Ed25519 keys
 * (PROTOCOL.sshsig of OpenSSH). Machines have that program; a namespace keeps a signature from meaning anything else.
 */

const magic = 'SSHSIG';
const version = 1;
const hash = 'sha512';
const keyType = 'ssh-ed25519';
const lineCharacters = 70;
const fingerprintCharacters = 16;
const [armourBegin, armourEnd] = ['-----BEGIN SSH SIGNATURE-----', '-----END SSH SIGNATURE-----'];

/** The armoured signature of a text. @param privateKey Ed25519 */
export function signText(privateKey: KeyObject, namespace: string, text: string): string {
  const signature = sign(null, signedData(namespace, text), privateKey);
  const blob = Buffer.concat([
    Buffer.from(magic),
    uint32(version),
    bytes(publicBlob(createPublicKey(privateKey))),
    bytes(namespace),
    bytes(''),
    bytes(hash),
    bytes(Buffer.concat([bytes(keyType), bytes(signature)])),
  ]);
  const lines = blob.toString('base64').match(new RegExp(`.{1,${lineCharacters}}`, 'g')) ?? [];
  return `${[armourBegin, ...lines, armourEnd].join('\n')}\n`;
}

/** Which of the keys signed this text in this namespace; undefined when none did, whatever the signature is. */
export function signerOf(
  publicKeys: readonly KeyObject[],
  namespace: string,
  text: string,
  signature: string,
): KeyObject | undefined {
  const read = readBlob(signature);
  if (read === undefined || read.namespace !== namespace) return undefined;
  const key = publicKeys.find((candidate) => publicBlob(candidate).equals(read.publicKey));
  return key && verify(null, signedData(namespace, text), key, read.signature) ? key : undefined;
}

/** A public key as one line of OpenSSH: `ssh-ed25519 BASE64`. @param key Ed25519, either half */
export function publicKeyLine(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return `${keyType} ${publicBlob(publicKey).toString('base64')}`;
}

/**
 * The beginning of a key's fingerprint as `ssh-keygen -lf FILE.pub` prints it: enough to tell keys apart.
 * @param key Ed25519, either half
 */
export function fingerprint(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const digest = createHash('sha256').update(publicBlob(publicKey)).digest('base64');
  return `SHA256:${digest.slice(0, fingerprintCharacters)}`;
}

/** The key of such a line, whatever comment follows; undefined where it is none. */
export function readPublicKeyLine(line: string): KeyObject | undefined {
  const [type, text = ''] = line.trim().split(/\s+/);
  const blob = Buffer.from(text, 'base64');
  const fields = type === keyType ? readFields(blob, 2) : undefined;
  const [named, raw] = fields ?? [];
  if (named?.toString() !== keyType || raw?.length !== 32) return undefined;
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
    format: 'jwk',
  });
}

function publicBlob(publicKey: KeyObject): Buffer {
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return Buffer.concat([bytes(keyType), bytes(Buffer.from(x, 'base64url'))]);
}

function signedData(namespace: string, text: string): Buffer {
  const digest = createHash(hash).update(text, 'utf8').digest();
  return Buffer.concat([Buffer.from(magic), bytes(namespace), bytes(''), bytes(hash), bytes(digest)]);
}

function readBlob(armoured: string): { publicKey: Buffer; namespace: string; signature: Buffer } | undefined {
  const lines = armoured.trim().split(/\r?\n/);
  if (lines.at(0) !== armourBegin || lines.at(-1) !== armourEnd) return undefined;
  const blob = Buffer.from(lines.slice(1, -1).join(''), 'base64');
  const start = magic.length + 4;
  const head = Buffer.concat([Buffer.from(magic), uint32(version)]);
  if (!blob.subarray(0, start).equals(head)) return undefined;
  const [publicKey, namespace, , hashName, inner] = readFields(blob.subarray(start), 5) ?? [];
  const [type, signature] = (inner && readFields(inner, 2)) ?? [];
  if (hashName?.toString() !== hash || type?.toString() !== keyType) return undefined;
  if (publicKey === undefined || namespace === undefined || signature === undefined) return undefined;
  return { publicKey, namespace: namespace.toString(), signature };
}

/** Exactly so many length-prefixed fields; undefined where the bytes are not that. */
function readFields(data: Buffer, count: number): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  for (let field = 0; field < count; field += 1) {
    if (at + 4 > data.length) return undefined;
    const length = data.readUInt32BE(at);
    if (at + 4 + length > data.length) return undefined;
    fields.push(data.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return at === data.length ? fields : undefined;
}

function bytes(value: Buffer | string): Buffer {
  const content = Buffer.from(value);
  return Buffer.concat([uint32(content.length), content]);
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}
