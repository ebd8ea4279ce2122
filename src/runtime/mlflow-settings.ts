import type { Environment } from './environment.ts';

/** An MLflow. */
export interface MlflowServerSettings {
  readonly trackingUri: string;
  readonly publicUrl: string;
  readonly credentials?:
    | { readonly kind: 'basic'; readonly username: string; readonly password: string }
    | { readonly kind: 'bearer'; readonly token: string };
}

/** Where traces go. */
export interface MlflowSettings extends MlflowServerSettings {
  readonly experimentId: string;
}

type NeededName = 'MLFLOW_EXPERIMENT_ID' | 'MLFLOW_TRACKING_USERNAME' | 'MLFLOW_TRACKING_PASSWORD';

/** Where traces go; undefined where runs are not traced. */
export function mlflowSettings(
  env: Environment,
  need: (name: NeededName) => string,
): MlflowSettings | undefined {
  const { MLFLOW_TRACKING_URI: trackingUri } = env;
  if (trackingUri === undefined) return undefined;
  return { ...mlflowServer(env, trackingUri, need), experimentId: need('MLFLOW_EXPERIMENT_ID') };
}

/** The MLflow at this address. */
export function mlflowServer(
  env: Environment,
  trackingUri: string,
  need: (name: NeededName) => string,
): MlflowServerSettings {
  const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: username } = env;
  const server = { trackingUri, publicUrl: env.MLFLOW_PUBLIC_URL ?? trackingUri };
  if (token !== undefined) return { ...server, credentials: { kind: 'bearer', token } };
  if (username === undefined && env.MLFLOW_TRACKING_PASSWORD === undefined) return server;
  const login = { username: need('MLFLOW_TRACKING_USERNAME'), password: need('MLFLOW_TRACKING_PASSWORD') };
  return { ...server, credentials: { kind: 'basic', ...login } };
}
