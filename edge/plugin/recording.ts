import { hostname } from 'node:os';
import type { PluginApi } from 'openclaw/plugin-sdk/plugin-entry';
import { clean } from './clean.ts';
import { Delivery } from './delivery.ts';
import { eventTypes } from './events.ts';
import { strangerListens } from './port-owner.ts';
import { field, text } from './reader.ts';
import { RunSpans } from './run-spans.ts';
import { encodeSpan, exportBody } from './span.ts';

const defaultEndpoint = 'http://127.0.0.1:4318/v1/traces';
const tokenVariable = 'FLEETBOT_OTLP_TOKEN';
/** The gateway gives its plugins 5 s; the machine gives the gateway 10 s in all. */
const flushTimeoutMs = 2_000;

type Subscribe = (
  listener: (event: unknown, metadata: { readonly trusted: boolean }) => void,
  filter: { readonly include: readonly string[] },
) => void;

/** The one recording of this process. */
export interface Recording {
  readonly spans: RunSpans;
  readonly delivery: Delivery;
}

/**
 * Begins to record. Takes the collector's token out of the environment, so that no command of the agent inherits it.
 * undefined, and said in the log, without a token.
 */
export function startRecording(
  api: PluginApi,
  subscribe: Subscribe,
  env: NodeJS.ProcessEnv,
): Recording | undefined {
  const token = env[tokenVariable];
  delete env[tokenVariable];
  if (!token) {
    api.logger.warn(`fleetbot: nothing is recorded, because ${tokenVariable} is not set.`);
    return undefined;
  }
  const host = text(api.pluginConfig, 'host') ?? hostname();
  const resource = { 'service.name': 'openclaw', 'host.name': host };
  const endpoint = text(api.pluginConfig, 'endpoint') ?? defaultEndpoint;
  const delivery = new Delivery({
    endpoint,
    token,
    strangerListens: () => strangerListens(Number(new URL(endpoint).port)),
    body: (spans) => exportBody(resource, spans),
    warn: (message) => api.logger.warn(message),
  });
  const spans = new RunSpans({
    host,
    content: mayReadConversations(api),
    emit: (span) => delivery.add(encodeSpan(span, clean)),
    lost: () => delivery.dropped,
    clock: Date.now,
  });
  // Other plugins may emit events too; the gateway's own are marked.
  subscribe((event, { trusted }) => trusted && spans.take(event), { include: eventTypes });
  return { spans, delivery };
}

/** Connects what the gateway calls for this registration of the plugin with the recording. */
export function connectHooks(api: PluginApi, { spans, delivery }: Recording): void {
  api.on('after_tool_call', (event, context) => spans.takeToolContent(event, context));
  if (mayReadConversations(api)) api.on('llm_output', (event) => spans.takeAgentText(event));
  api.on('gateway_stop', async () => {
    spans.settle();
    await delivery.flush(flushTimeoutMs);
  });
}

/** The operator's word in the gateway's configuration. `after_tool_call` comes without it, too. */
function mayReadConversations({ id, config }: PluginApi): boolean {
  const entry = field(field(field(config, 'plugins'), 'entries'), id);
  return field(field(entry, 'hooks'), 'allowConversationAccess') === true;
}
