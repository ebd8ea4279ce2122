import { z } from 'zod';
import { MlflowError, type MlflowErrorCode } from '../../fleet/errors.ts';
import { loginHeaders, type MlflowServer, mlflowUrl } from '../mlflow-target.ts';
import { parseJson } from '../parse-json.ts';
import { answerCure, hostCure, loginCure } from './cures.ts';

/** A question to MLflow's REST interface, which answers with JSON of the schema's shape. */
export interface Question<T> {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  /** Path and query under the base address. */
  readonly path: string;
  readonly body?: unknown;
  readonly answer: z.ZodType<T>;
}

/** How long a question may take, and what breaks it off. */
export interface Patience {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What to do where it takes longer; by default what helps where nothing answers. */
  readonly slowCure?: string;
}

const awayCure = 'See that it runs and can be reached from here.';

/** How much of what MLflow says of an error is told. */
const reasonChars = 300;

/**
 * Asks MLflow once.
 * @throws MlflowError which says why there is no answer, and what to do
 * @throws the reason of `signal`
 */
export async function askMlflow<T>(
  server: MlflowServer,
  { method = 'GET', path, body, answer }: Question<T>,
  patience: Patience,
): Promise<T> {
  const response = await reach(
    mlflowUrl(server, path),
    {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...loginHeaders(server),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    },
    patience,
  );
  if (!response.ok) throw notWell(server, response);
  const parsed = answer.safeParse(parseJson(response.text));
  if (parsed.success) return parsed.data;
  throw notMlflow(server, parsed.error);
}

/** The error for an answer of success that MLflow would not give. */
export function notMlflow({ trackingUri }: MlflowServer, cause?: unknown): MlflowError {
  return new MlflowError(
    'mlflow-away',
    `What answers at ${trackingUri} does not speak as MLflow does. Set MLFLOW_TRACKING_URI to the base address of MLflow 3.6 or newer.`,
    { cause },
  );
}

/** What came back from an address. */
export interface Reached {
  readonly status: number;
  /** Whether the status is one of success. */
  readonly ok: boolean;
  readonly text: string;
}

/**
 * Makes one request. Follows no redirect: credentials go to nobody else.
 * @throws MlflowError (`mlflow-away`) where there is no answer
 * @throws the reason of `signal`
 */
export async function reach(url: string, init: RequestInit, patience: Patience): Promise<Reached> {
  const { timeoutMs, signal, slowCure = awayCure } = patience;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    return { status: response.status, ok: response.ok, text: await response.text() };
  } catch (error) {
    signal?.throwIfAborted();
    const why = timeout.aborted
      ? `does not answer within ${timeoutMs} ms. ${slowCure}`
      : `cannot be reached${codeOf(error)}. ${awayCure}`;
    throw new MlflowError('mlflow-away', `MLflow at ${new URL(url).origin} ${why}`, { cause: error });
  }
}

/** The error for an answer that tells of one, with its cure. Source: measured with MLflow 3.17. */
export function notWell({ trackingUri }: MlflowServer, answer: Reached): MlflowError {
  const { status, text } = answer;
  const { message, error_code } = saidSchema.parse(parseJson(text));
  const said = (message ?? text).split('\n', 1).join('').slice(0, reasonChars).trim();
  const error = (code: MlflowErrorCode, sentence: string) => new MlflowError(code, sentence);
  switch (status) {
    case 400:
    case 413:
    case 422:
      return error('mlflow-refused', `MLflow refuses what it was sent (${status}): ${said}`);
    case 401:
      return error('mlflow-denied', loginCure);
    case 403:
      return error('mlflow-denied', refusesHost(answer) ? hostCure(trackingUri) : forbidden);
    case 404:
      if (error_code === 'RESOURCE_DOES_NOT_EXIST') return error('mlflow-unknown', `${said} (404).`);
  }
  return error('mlflow-away', answerCure(trackingUri, status));
}

const forbidden = 'MLflow forbids it (403). Give the user EDIT permission on the experiment.';

/** Whether MLflow does not take the name in the address for its own. */
export function refusesHost({ status, text }: Reached): boolean {
  return status === 403 && /invalid host header/i.test(text);
}

const saidSchema = z.object({ message: z.string().optional(), error_code: z.string().optional() }).catch({});

/** The system's word for what failed, such as ECONNREFUSED, in brackets. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
}
