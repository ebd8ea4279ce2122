import type { MlflowTarget } from './mlflow-target.ts';

/** Why MLflow did not take spans, and what an operator can do. `status` is the HTTP status, where there is one. */
export function explainExportFailure(error: Error | undefined, mlflow: MlflowTarget): string {
  const status = statusOf(error);
  const { trackingUri, experimentId } = mlflow;
  switch (status) {
    case undefined:
      return `MLflow at ${trackingUri} took no spans: ${error?.message || 'no answer in time'}. See that it runs and can be reached from here.`;
    case 401:
      return 'MLflow wants other credentials (401). Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.';
    case 403:
      return `MLflow forbids it (403). Give the user EDIT permission on experiment ${experimentId}, or start MLflow with this host in --allowed-hosts.`;
    case 404:
      return `MLflow knows no experiment ${experimentId}, or no OTLP (404). Set MLFLOW_EXPERIMENT_ID to an experiment that exists; MLflow must be 3.6 or newer with an SQL store.`;
    case 422:
      return `MLflow could not read the spans or their experiment (422). Set MLFLOW_EXPERIMENT_ID to the experiment's number, not its name.`;
    default:
      return `MLflow at ${trackingUri} answered ${status}. Look at MLflow's log; if it moved, set MLFLOW_TRACKING_URI to its final address.`;
  }
}

function statusOf(error: Error | undefined): number | undefined {
  return error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}
