import { request } from 'undici';
import type { PagerSettings } from './settings.ts';
import type { Page, Wire } from './wire.ts';

/** What came of one request. Problems complete the sentence "pager NAME …". */
export type Attempt =
  | { readonly kind: 'taken' }
  /** It may take the same page later; `afterMs` where it said when. */
  | { readonly kind: 'later'; readonly problem: string; readonly afterMs?: number | undefined }
  /** It never takes this. */
  | { readonly kind: 'refused'; readonly problem: string };

const reasonChars = 200;

/** Sends a page once. Follows no redirect: the secrets go to nobody else. Throws only where `signal` aborts. */
export async function attempt(
  wire: Wire,
  page: Page,
  { requestTimeoutMs, answerMaxBytes }: PagerSettings,
  signal: AbortSignal,
): Promise<Attempt> {
  const { url, headers, body } = wire.request(page);
  const timeout = AbortSignal.timeout(requestTimeoutMs);
  try {
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, timeout]),
    });
    const said = parsed(await beginning(answer.body, answerMaxBytes));
    const retryAfter = answer.headers['retry-after'];
    return judged(wire, answer.statusCode, said, typeof retryAfter === 'string' ? retryAfter : undefined);
  } catch (error) {
    if (signal.aborted) throw error;
    if (timeout.aborted) return { kind: 'later', problem: `did not answer within ${requestTimeoutMs} ms` };
    // The message may hold the address, and that a secret.
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
    return { kind: 'later', problem: `cannot be reached${code}` };
  }
}

function judged(wire: Wire, status: number, said: unknown, retryAfter: string | undefined): Attempt {
  if (status >= 200 && status < 300) {
    const doubt = wire.doubt(said);
    return doubt === undefined ? { kind: 'taken' } : { kind: 'refused', problem: `${doubt}: see its url` };
  }
  const problem = `answered ${status}${reasonOf(wire, said)}`;
  if (status === 429) return { kind: 'later', problem, afterMs: pauseOf(retryAfter) };
  if (status >= 500) return { kind: 'later', problem };
  if (status < 400) return { kind: 'refused', problem: `${problem}, a redirect, which is not followed` };
  return { kind: 'refused', problem };
}

/** What the pager says of it, without the secrets that it may repeat. */
function reasonOf(wire: Wire, said: unknown): string {
  let reason = wire.reason(said) ?? '';
  for (const secret of wire.secrets) reason = reason.replaceAll(secret, '…');
  return reason === '' ? '' : ` (${reason.slice(0, reasonChars)})`;
}

/** `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), as milliseconds from now. */
function pauseOf(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

async function beginning(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) break;
  }
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
