import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import { StoreUnavailableError } from '../fleet/errors.ts';
import { readAlertmanager } from './alertmanager.ts';
import { type Credentials, checkHeaders, checkSignature, signatureHeader } from './authenticate.ts';
import { bodyProblems } from './body-problems.ts';
import { readGeneric } from './generic.ts';
import type { Intake, Taken } from './intake.ts';
import type { Clock } from './ports.ts';
import { readBody } from './read-body.ts';
import { type Refusal, unavailable } from './refusal.ts';
import type { AlertDraft } from './tidy-alert.ts';

/** What a path takes. */
interface Format {
  readonly read: (payload: unknown) => {
    readonly alerts: readonly AlertDraft[];
    readonly truncated?: number;
  };
  /** In this format a body is never sent again with another meaning: the same body is the same delivery. */
  readonly bodyIsDelivery: boolean;
}

const formats = new Map<string, Format>([
  // Every notification has the times of its alerts in it.
  ['/alerts/alertmanager', { read: readAlertmanager, bodyIsDelivery: true }],
  ['/alerts/generic', { read: (payload) => ({ alerts: readGeneric(payload) }), bodyIsDelivery: false }],
]);

/** For whoever guessed the path of their monitoring. */
const whereTo =
  'Alertmanager and Grafana post to /alerts/alertmanager, everything else to /alerts/generic (see README, Alerts).';

/** Longest description of what is wrong with a body. */
const foundMaxCharacters = 1_000;

/**
 * Takes one delivery. The refusal has 503 where the same delivery can be taken later, else 4xx.
 */
export async function serveDelivery(
  request: IncomingMessage,
  options: {
    readonly credentials: Credentials;
    readonly maxBytes: number;
    readonly intake: Intake;
    readonly clock: Clock;
    readonly log: Logger;
  },
): Promise<Taken | Refusal> {
  const { credentials, maxBytes, intake, clock, log } = options;
  const { headers, method, url = '' } = request;
  const believed = checkHeaders(headers, credentials, clock());
  if (typeof believed === 'object') return believed;
  const [path = ''] = url.split('?');
  const format = formats.get(path);
  if (format === undefined) {
    return invalid(404, `There is nothing at this path. ${whereTo}`);
  }
  if (method !== 'POST') return { ...invalid(405, 'Only POST is served here.'), headers: { allow: 'POST' } };
  if (!/^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '')) {
    return invalid(415, 'The content type must be application/json.');
  }
  const body = await readBody(request, maxBytes);
  if (body === 'broken-off') return invalid(400, 'The request ended before its body was complete.');
  if (body === 'too-large') {
    const cure =
      'Send fewer alerts at once (max_alerts in Alertmanager), or raise FLEETBOT_ALERTS_MAX_BYTES.';
    const problem = `The body is larger than ${maxBytes} bytes. ${cure}`;
    return { status: 413, problem, reason: 'too-large' };
  }
  const denied = believed === 'signed' ? checkSignature(headers, body, credentials) : undefined;
  if (denied !== undefined) return denied;
  const read = readPayload(format, body);
  if ('problem' in read) return read;
  const { alerts, truncated = 0 } = read;
  if (truncated > 0)
    log.warn({ truncated }, 'Alertmanager left alerts out: raise max_alerts of its receiver');
  try {
    return await intake.take(alerts, { kind: 'webhook' }, deliveryId(request, believed, format, path, body));
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    log.warn({ err: error }, 'alerts could not be stored; their sender is asked to send them again');
    return unavailable;
  }
}

function readPayload(format: Format, body: Buffer): ReturnType<Format['read']> | Refusal {
  let payload: unknown;
  try {
    payload = JSON.parse(body.toString('utf8'));
    return format.read(payload);
  } catch (error) {
    const found = bodyProblems(error, payload).slice(0, foundMaxCharacters);
    return invalid(400, `The body is not what this path takes. ${found}`);
  }
}

/**
 * What makes a repetition known: the signature, which has the time in it; else the sender's own key, or the body. Without
 * any of them the same body may mean that the same alert fires anew, so it is taken again.
 */
function deliveryId(
  { headers }: IncomingMessage,
  believed: 'believed' | 'signed',
  { bodyIsDelivery }: Format,
  path: string,
  body: Buffer,
): string | undefined {
  // What is not signed could be changed by who repeats what they overheard.
  const told =
    believed === 'signed'
      ? headers[signatureHeader]
      : (headers['idempotency-key'] ?? (bodyIsDelivery ? body : undefined));
  if (told === undefined) return undefined;
  const digest = createHash('sha256').update(`${path}\n`).update(String(told)).digest('hex');
  return `webhook:${digest}`;
}

function invalid(status: number, problem: string): Refusal {
  return { status, problem, reason: 'invalid' };
}
