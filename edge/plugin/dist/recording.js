import { hostname } from 'node:os';
                                                                  
import { clean } from './clean.js';
import { Delivery } from './delivery.js';
import { eventTypes } from './events.js';
import { strangerListens } from './port-owner.js';
import { field, text } from './reader.js';
import { RunSpans } from './run-spans.js';
import { encodeSpan, exportBody } from './span.js';

const defaultEndpoint = 'http://127.0.0.1:4318/v1/traces';
const tokenVariable = 'FLEETBOT_OTLP_TOKEN';
/** The gateway gives its plugins 5 s; the machine gives the gateway 10 s in all. */
const flushTimeoutMs = 2_000;

                  
                                                                              
                                                  
          

/** The one recording of this process. */
                            
                           
                              
 

/**
 * Begins to record. Takes the collector's token out of the environment, so that no command of the agent inherits it.
 * undefined, and said in the log, without a token.
 */
export function startRecording(
  api           ,
  subscribe           ,
  env                   ,
)                        {
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
export function connectHooks(api           , { spans, delivery }           )       {
  api.on('after_tool_call', (event, context) => spans.takeToolContent(event, context));
  if (mayReadConversations(api)) api.on('llm_output', (event) => spans.takeAgentText(event));
  api.on('gateway_stop', async () => {
    spans.settle();
    await delivery.flush(flushTimeoutMs);
  });
}

/** The operator's word in the gateway's configuration. `after_tool_call` comes without it, too. */
function mayReadConversations({ id, config }           )          {
  const entry = field(field(field(config, 'plugins'), 'entries'), id);
  return field(field(entry, 'hooks'), 'allowConversationAccess') === true;
}
