/** What an operator can do where MLflow answers 401. */
export const loginCure =
  'MLflow wants other credentials (401). Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.';

/** What to do where MLflow does not take the name in an address for its own. */
export function hostCure(address: string): string {
  const { host, hostname } = new URL(address);
  const names = [...new Set([hostname, host])].join(',');
  return `MLflow refuses requests to ${host} (403). Start it with this host in --allowed-hosts (or MLFLOW_SERVER_ALLOWED_HOSTS), such as ${names}.`;
}

/** What to do about an answer that nothing more is known of. */
export function answerCure(trackingUri: string, status: number): string {
  return `MLflow at ${trackingUri} answered ${status}. Look at MLflow's log; if it moved, set MLFLOW_TRACKING_URI to its final address.`;
}
