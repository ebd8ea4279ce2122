import { z } from 'zod';
import { MlflowError } from '../../fleet/errors.ts';
import type { MlflowServer } from '../mlflow-target.ts';
import { askMlflow, type Patience } from './ask-mlflow.ts';

/** An experiment: what MLflow keeps traces under. */
export interface Experiment {
  /** A number, as text. */
  readonly id: string;
  /** It is still found by its name, and its name is still taken. */
  readonly isDeleted: boolean;
  readonly tags: ReadonlyMap<string, string>;
}

/** Finds and makes experiments. Everything rejects with MlflowError. */
export interface Experiments {
  /** undefined where there is none of that name. */
  named(name: string): Promise<Experiment | undefined>;
  /** Resolves to its id. */
  create(name: string): Promise<string>;
  tag(id: string, key: string, value: string): Promise<void>;
}

const path = '/api/2.0/mlflow/experiments';

/** Source: MLflow's REST interface, 2.0, as 3.17 answers. */
export function createExperiments(server: MlflowServer, patience: Patience): Experiments {
  return {
    async named(name) {
      const question = { path: `${path}/get-by-name?${new URLSearchParams({ experiment_name: name })}` };
      try {
        return await askMlflow(server, { ...question, answer: experimentSchema }, patience);
      } catch (error) {
        if (error instanceof MlflowError && error.code === 'mlflow-unknown') return undefined;
        throw error;
      }
    },
    async create(name) {
      const answer = z.object({ experiment_id: z.string() });
      const question = { path: `${path}/create`, body: { name }, answer };
      return (await askMlflow(server, { method: 'POST', ...question }, patience)).experiment_id;
    },
    async tag(id, key, value) {
      const body = { experiment_id: id, key, value };
      const question = { path: `${path}/set-experiment-tag`, body, answer: z.object({}) };
      await askMlflow(server, { method: 'POST', ...question }, patience);
    },
  };
}

const experimentSchema = z
  .object({
    experiment: z.object({
      experiment_id: z.string(),
      lifecycle_stage: z.string(),
      tags: z.array(z.object({ key: z.string(), value: z.string() })).default([]),
    }),
  })
  .transform(
    ({ experiment: { experiment_id, lifecycle_stage, tags } }): Experiment => ({
      id: experiment_id,
      isDeleted: lifecycle_stage === 'deleted',
      tags: new Map(tags.map(({ key, value }) => [key, value])),
    }),
  );
