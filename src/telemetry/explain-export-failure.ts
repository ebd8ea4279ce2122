import { answerCure, loginCure } from './mlflow/cures.ts';
import type { MlflowTarget } from './mlflow-target.ts';

/** Of what MLflow said. */
const maxReasonCharacters = 300;

/** Why MLflow takes no spans for the time being, and what an operator can do. */
export function explainExportFailure(error: Error | undefined, mlflow: MlflowTarget): string {
  const status = statusOf(error);
  const { trackingUri, experimentId } = mlflow;
  switch (status) {
    case undefined:
      return `MLflow at ${trackingUri} took no spans: ${error?.message || 'no answer in time'}. See that it runs and can be reached from here.`;
    case 400:
    case 413:
      return `MLflow refuses spans (${status}): ${bodyOf(error).slice(0, maxReasonCharacters) || 'it does not say why'}. See that MLFLOW_EXPERIMENT_ID is right, and what MLflow's log says.`;
    case 401:
      return loginCure;
    case 403:
      return `MLflow forbids it (403). Give the user EDIT permission on experiment ${experimentId}, or start MLflow with this host in --allowed-hosts.`;
    case 404:
      return `MLflow knows no experiment ${experimentId}, or no OTLP (404). Set MLFLOW_EXPERIMENT_ID to an experiment that exists; MLflow must be 3.6 or newer with an SQL store.`;
    case 422:
      return "MLflow can store no spans (422): its database fails. Look at MLflow's log, and at the disk and the locks of its database.";
    default:
      return answerCure(trackingUri, status);
  }
}

/** The HTTP status of an answer that was no success; undefined where there was none. */
export function statusOf(error: Error | undefined): number | undefined {
  return error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** What the server said with it; '' where that is unknown. */
export function bodyOf(error: Error | undefined): string {
  return error && 'data' in error && typeof error.data === 'string' ? error.data.trim() : '';
}
