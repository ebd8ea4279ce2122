import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate and its private key, both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test's own. Nothing of it is kept. */
export interface Authority extends Certificate {
  /** For DNS names and IPv4 addresses; valid from an hour ago until `expiresAt` (ms since 1970; in an hour). */
  issue(names: readonly string[], expiresAt?: number): Certificate;
}

const hourMs = 3_600_000;

/** X.509 v3 (RFC 5280), as little of it as TLS needs: Node can sign and read certificates but not write them. */
export function newAuthority(name: string): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isAuthority = extension('551d13', sequence(tagged(0x01, Buffer.from([0xff]))), true);
  return {
    cert: certificate(
      {
        issuer: name,
        subject: name,
        extensions: isAuthority,
        key: pair.publicKey,
        expiresAt: Date.now() + hourMs,
      },
      pair.privateKey,
    ),
    key: pemOf(pair.privateKey),
    issue(names, expiresAt = Date.now() + hourMs) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const alternatives = names.map((each) =>
        isIPv4(each)
          ? tagged(0x87, Buffer.from(each.split('.').map(Number)))
          : tagged(0x82, Buffer.from(each, 'ascii')),
      );
      const extensions = extension('551d11', sequence(...alternatives), false);
      const subject = names[0] ?? '';
      const content = { issuer: name, subject, extensions, key: own.publicKey, expiresAt };
      return { cert: certificate(content, pair.privateKey), key: pemOf(own.privateKey) };
    },
  };
}

interface Content {
  readonly issuer: string;
  readonly subject: string;
  readonly extensions: Buffer;
  readonly key: KeyObject;
  readonly expiresAt: number;
}

const version3 = tagged(0xa0, tagged(0x02, Buffer.from([2])));
/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2 */
const algorithm = sequence(identifier('2a8648ce3d040302'));

function certificate({ issuer, subject, extensions, key, expiresAt }: Content, signer: KeyObject): string {
  // The first bit is cleared: a serial number is positive.
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const content = sequence(
    ...[version3, tagged(0x02, serial), algorithm, nameOf(issuer)],
    sequence(time(Math.min(Date.now(), expiresAt) - hourMs), time(expiresAt)),
    ...[nameOf(subject), key.export({ type: 'spki', format: 'der' }), tagged(0xa3, sequence(extensions))],
  );
  const whole = sequence(content, algorithm, bits(sign('sha256', content, signer)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** commonName, 2.5.4.3 */
function nameOf(text: string): Buffer {
  return sequence(tagged(0x31, sequence(identifier('550403'), tagged(0x0c, Buffer.from(text)))));
}

function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return tagged(0x18, Buffer.from(digits, 'ascii'));
}

function extension(oid: string, value: Buffer, critical: boolean): Buffer {
  const mark = critical ? [tagged(0x01, Buffer.from([0xff]))] : [];
  return sequence(identifier(oid), ...mark, tagged(0x04, value));
}

function identifier(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function bits(content: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), content]));
}

function sequence(...items: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(items));
}

/** DER: tag, length, content. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}
