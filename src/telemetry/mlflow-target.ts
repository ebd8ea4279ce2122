/** An MLflow, and how it is spoken to. */
export interface MlflowServer {
  /** Base address for this process; spans go to `{trackingUri}/v1/traces`. */
  readonly trackingUri: string;
  readonly credentials?:
    | { readonly kind: 'basic'; readonly username: string; readonly password: string }
    | { readonly kind: 'bearer'; readonly token: string };
}

/** Where MLflow takes traces and where people look at them. */
export interface MlflowTarget extends MlflowServer {
  /** Base address of MLflow's pages as people's browsers reach them. */
  readonly publicUrl: string;
  /** Numeric id; MLflow refuses spans without it. */
  readonly experimentId: string;
}

/** Where OTLP goes. Source: MLflow's `server/otel_api.py`; the path has no static prefix. */
export function tracesUrl(server: MlflowServer): string {
  return mlflowUrl(server, '/v1/traces');
}

/** The address of a path under MLflow's base address. */
export function mlflowUrl({ trackingUri }: MlflowServer, path: string): string {
  return `${trackingUri.replace(/\/+$/, '')}${path}`;
}

/** Headers of every export. Source: `facts/mlflow-otel.md`, Ingestion. */
export function exportHeaders({ experimentId, ...server }: MlflowTarget): Record<string, string> {
  return { 'x-mlflow-experiment-id': experimentId, ...loginHeaders(server) };
}

/** What every request says of who asks. */
export function loginHeaders({ credentials }: MlflowServer): Record<string, string> {
  return credentials ? { authorization: authorization(credentials) } : {};
}

function authorization(credentials: NonNullable<MlflowServer['credentials']>): string {
  if (credentials.kind === 'bearer') return `Bearer ${credentials.token}`;
  const { username, password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
