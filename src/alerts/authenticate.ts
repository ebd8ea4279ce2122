import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Refusal } from './refusal.ts';

/** How senders prove who they are; with both, either will do. */
export interface Credentials {
  /** For `Authorization: Bearer TOKEN`, as Alertmanager's `http_config` sends it. */
  readonly token?: string | undefined;
  /** For `X-Fleetbot-Signature: sha256=HEX`: HMAC-SHA256 over `X-Fleetbot-Timestamp`, a dot, and the body. */
  readonly hmacSecret?: string | undefined;
}

export const signatureHeader = 'x-fleetbot-signature';
/** Seconds since the epoch, as digits. */
export const timestampHeader = 'x-fleetbot-timestamp';

/** How far the sender's clock may be from ours: a signed message that was overheard is of no use later. */
export const signatureMaxAgeMs = 300_000;

/** `401` to a sender that gave no proof of a kind that is set up here, `403` to one that gave a wrong one. */
function denied(status: 401 | 403, problem: string): Refusal {
  const headers = status === 401 ? { 'www-authenticate': 'Bearer realm="fleetbot alerts"' } : {};
  return { status, problem, reason: 'unauthorized', headers };
}

/** What a sender must do, for those who gave nothing. */
function noProof({ token, hmacSecret }: Credentials): Refusal {
  const ways = [
    ...(token === undefined ? [] : ['"Authorization: Bearer" with FLEETBOT_ALERTS_TOKEN']),
    ...(hmacSecret === undefined
      ? []
      : ['"X-Fleetbot-Signature" and "X-Fleetbot-Timestamp" made with FLEETBOT_ALERTS_HMAC_SECRET']),
  ];
  return denied(401, `Send the header ${ways.join(', or ')}.`);
}

/**
 * Judges what can be judged before the body is read, so that nobody without a proof has it read.
 * @returns `signed` when the body must be seen
 */
export function checkHeaders(
  headers: IncomingHttpHeaders,
  credentials: Credentials,
  now: number,
): Refusal | 'believed' | 'signed' {
  const { token, hmacSecret } = credentials;
  const [, given] = /^bearer +(.+)$/i.exec(headers.authorization ?? '') ?? [];
  if (token !== undefined && given !== undefined) {
    if (isSame(given, token)) return 'believed';
    return denied(403, 'This bearer token is not the one that is set here.');
  }
  if (hmacSecret === undefined || typeof headers[signatureHeader] !== 'string') return noProof(credentials);
  const stamp = timestampOf(headers);
  if (!/^\d{1,12}$/.test(stamp)) {
    return denied(403, 'X-Fleetbot-Timestamp must be the time in seconds since 1970.');
  }
  if (Math.abs(now - Number(stamp) * 1_000) > signatureMaxAgeMs) {
    const minutes = signatureMaxAgeMs / 60_000;
    return denied(403, `X-Fleetbot-Timestamp is more than ${minutes} minutes from our clock.`);
  }
  return 'signed';
}

/** Judges the signature over the body; undefined when it is right. */
export function checkSignature(
  headers: IncomingHttpHeaders,
  body: Buffer,
  { hmacSecret = '' }: Credentials,
): Refusal | undefined {
  if (isSame(String(headers[signatureHeader]), sign(hmacSecret, timestampOf(headers), body))) {
    return undefined;
  }
  return denied(403, 'X-Fleetbot-Signature does not fit this body and time.');
}

/** The signature of a body, as it stands in its header. */
export function sign(secret: string, timestamp: string, body: Buffer | string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')}`;
}

function timestampOf(headers: IncomingHttpHeaders): string {
  return String(headers[timestampHeader] ?? '');
}

/** Takes as long whatever is different: texts of any length become digests of one. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
