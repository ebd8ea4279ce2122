import { z } from 'zod';
import { MlflowError, toFailure } from '../../fleet/errors.ts';
import {
  exportHeaders,
  loginHeaders,
  type MlflowServer,
  type MlflowTarget,
  mlflowUrl,
  tracesUrl,
} from '../mlflow-target.ts';
import { askMlflow, notMlflow, notWell, type Patience, reach, refusesHost } from './ask-mlflow.ts';
import { hostCure } from './cures.ts';
import { createExperiments, type Experiment } from './experiments.ts';

/** What is made or tried, in this order. */
export type InitStepName = 'server' | 'experiment' | 'tags' | 'spans' | 'page';

/** What came of one of them. */
export interface InitStep {
  readonly name: InitStepName;
  readonly isWell: boolean;
  /** What was seen, or what is wrong and what to do about it. */
  readonly detail: string;
}

export interface InitOptions extends MlflowServer, Pick<MlflowTarget, 'publicUrl'> {
  /** The experiment's name. */
  readonly experiment: string;
  readonly tell: (step: InitStep) => void;
  /** How long each answer about its data may take; by default a minute. */
  readonly answerTimeoutMs?: number;
}

/** What is not as it must be. The message says what, and what to do. */
class NotReady extends Error {}

/** For what MLflow answers at once, where it is there at all. */
const patience: Patience = { timeoutMs: 10_000 };

/** One that was just started may be busy for long when it is first asked for its data. */
const firstAnswerTimeoutMs = 60_000;

/** The first release that takes spans over OTLP. */
const oldestRelease = [3, 6] as const;
/** The first one of which it was measured that a span sent twice counts once, and that its page filters by tag. */
const testedRelease = [3, 17] as const;

/** What the experiment is tagged with, where it is not yet: its page opens on the traces, and says what they are. */
const tags = {
  'mlflow.experimentKind': 'genai_development',
  'mlflow.note.content':
    'Runs of fleetbot: one trace for each request on each machine. Filter by the tags fleet.machine, fleet.verdict, fleet.campaign, fleet.incident, fleet.person.',
};

export interface InitResult {
  /** Undefined where there is none that can be used. */
  readonly experimentId: string | undefined;
  /** Whether every step went well. */
  readonly isWell: boolean;
}

/**
 * Makes MLflow ready for traces, and tells of every step what came of it; doing it again changes nothing. Leaves no
 * trace behind.
 */
export async function initMlflow(options: InitOptions): Promise<InitResult> {
  const { publicUrl, experiment: name, tell, answerTimeoutMs = firstAnswerTimeoutMs, ...server } = options;
  const longPatience: Patience = {
    timeoutMs: answerTimeoutMs,
    slowCure: 'It is reached, but slow (just started?): do it again.',
  };
  let isWell = true;
  /** Undefined where it came to nothing. */
  const attempt = async <T>(step: InitStepName, work: () => Promise<readonly [detail: string, made: T]>) => {
    try {
      const [detail, made] = await work();
      tell({ name: step, isWell: true, detail });
      return made;
    } catch (error) {
      isWell = false;
      const detail = error instanceof NotReady ? error.message : toFailure(error).message;
      tell({ name: step, isWell: false, detail });
      return undefined;
    }
  };

  if (!(await attempt('server', () => knock(server)))) return { experimentId: undefined, isWell };
  const experiments = createExperiments(server, longPatience);
  const experiment = await attempt<Pick<Experiment, 'id' | 'tags'>>('experiment', async () => {
    const found = await experiments.named(name);
    if (found?.isDeleted) {
      throw new NotReady(
        `"${name}" (${found.id}) is deleted. Bring it back with "mlflow experiments restore --experiment-id ${found.id}", or name another one with --experiment.`,
      );
    }
    if (found) return [`"${name}" is there: ${found.id}`, found];
    const id = await experiments.create(name);
    return [`"${name}" is made: ${id}`, { id, tags: new Map() }];
  });
  if (experiment) {
    await attempt('tags', async () => {
      for (const [key, value] of Object.entries(tags)) {
        if (!experiment.tags.has(key)) await experiments.tag(experiment.id, key, value);
      }
      return ['its page opens on the traces', true];
    });
    await attempt('spans', () =>
      tryIngest({ ...server, publicUrl, experimentId: experiment.id }, longPatience),
    );
  }
  await attempt('page', () => tryPage(publicUrl));
  return { experimentId: experiment?.id, isWell };
}

/** Whether it is there, knows us, and is new enough. */
async function knock(server: MlflowServer): Promise<readonly [string, true]> {
  const answer = await reach(mlflowUrl(server, '/version'), { headers: loginHeaders(server) }, patience);
  if (!answer.ok) throw notWell(server, answer);
  const release = answer.text.trim();
  if (!/^\d+\.\d+/.test(release)) throw notMlflow(server);
  if (isOlder(release, oldestRelease)) {
    throw new NotReady(
      `MLflow ${release} takes no spans over OTLP. Install MLflow ${testedRelease.join('.')} or newer.`,
    );
  }
  const old = isOlder(release, testedRelease)
    ? `; older than ${testedRelease.join('.')}: it may count tokens twice, and links may show too much`
    : '';
  return [`MLflow ${release} at ${server.trackingUri}${old}`, true];
}

function isOlder(release: string, [major, minor]: readonly [number, number]): boolean {
  const [itsMajor = 0, itsMinor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return itsMajor < major || (itsMajor === major && itsMinor < minor);
}

const infoSchema = z.object({ store_type: z.string().optional() });

/** A batch without spans is authorised like any other and leaves nothing behind (measured with MLflow 3.17). */
async function tryIngest(target: MlflowTarget, patience: Patience): Promise<readonly [string, true]> {
  const answer = await reach(
    tracesUrl(target),
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...exportHeaders(target) },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [] }] }] }),
    },
    patience,
  );
  if (!answer.ok) throw notWell(target, answer);
  const { store_type } = await serverInfo(target, patience);
  if (store_type === 'FileStore') {
    throw new NotReady(
      'MLflow keeps its data in files, and then takes no spans. Start it with a database: --backend-store-uri sqlite:////path/mlflow.db, or one of PostgreSQL or MySQL.',
    );
  }
  return ['it takes spans', true];
}

/** Releases before 3.17 may not have it. */
async function serverInfo(server: MlflowServer, patience: Patience): Promise<z.infer<typeof infoSchema>> {
  try {
    return await askMlflow(server, { path: '/api/3.0/mlflow/server-info', answer: infoSchema }, patience);
  } catch (error) {
    if (error instanceof MlflowError) return {};
    throw error;
  }
}

/** Whether people's links open. It is asked as a browser asks: without our login. */
async function tryPage(publicUrl: string): Promise<readonly [string, true]> {
  const answer = await reach(mlflowUrl({ trackingUri: publicUrl }, '/'), {}, patience).catch((error) => {
    throw new NotReady(`${toFailure(error).message} Links lead there: MLFLOW_PUBLIC_URL says where.`);
  });
  const { status, ok, text } = answer;
  if (status === 401 || (status >= 300 && status < 400)) return [`${publicUrl} asks people to log in`, true];
  if (refusesHost(answer)) throw new NotReady(hostCure(publicUrl));
  if (ok && /<html/i.test(text)) return [`${publicUrl} opens`, true];
  throw new NotReady(
    `${publicUrl} shows no page (${status}). Set MLFLOW_PUBLIC_URL to MLflow's address in people's browsers.`,
  );
}
