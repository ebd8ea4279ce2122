/** Where MLflow takes traces and where people look at them. */
export interface MlflowTarget {
  /** Base address for this process; spans go to `{trackingUri}/v1/traces`. */
  readonly trackingUri: string;
  /** Base address of MLflow's pages as people's browsers reach them. */
  readonly publicUrl: string;
  /** Numeric id; MLflow refuses spans without it. */
  readonly experimentId: string;
  readonly credentials?:
    | { readonly kind: 'basic'; readonly username: string; readonly password: string }
    | { readonly kind: 'bearer'; readonly token: string };
}

/** Where OTLP goes. Source: MLflow's `server/otel_api.py`; the path has no static prefix. */
export function tracesUrl({ trackingUri }: MlflowTarget): string {
  return `${trackingUri.replace(/\/+$/, '')}/v1/traces`;
}

/** Headers of every export. Source: `facts/mlflow-otel.md`, Ingestion. */
export function exportHeaders({ experimentId, credentials }: MlflowTarget): Record<string, string> {
  return {
    'x-mlflow-experiment-id': experimentId,
    ...(credentials && { authorization: authorization(credentials) }),
  };
}

function authorization(credentials: NonNullable<MlflowTarget['credentials']>): string {
  if (credentials.kind === 'bearer') return `Bearer ${credentials.token}`;
  const { username, password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
