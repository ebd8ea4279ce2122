import { createHash } from 'node:crypto';
                                                              
                                                       
                                      
import { toolFailure } from './tool-failure.js';

/*
 * Names and attributes as in `src/telemetry/attributes.ts`. Usage stands on the model's spans alone, so that nothing
 * is counted twice. No `session.id` and no `gen_ai.conversation.id`: MLflow takes the session of the whole trace from
 * the first span that has one of them, and only the supervisor's root knows it.
 */

                                     

/** What every span of this process is made with. */
                       
                                              
                        
                                                                                           
                            
                                                                                                             
                              
 

/** The span of one request to the model. */
export function modelCallSpan(run         , call           , told      )       {
  const { provider, model, usage, costUsd, timeToFirstByteMs, error } = call;
  return {
    traceId: run.place.traceId,
    spanId: call.trace.spanId,
    ...parent(call.trace.parentSpanId ?? run.place.parentSpanId),
    name: 'model.inference',
    kind: 'client',
    startMs: call.at - call.durationMs,
    endMs: call.at,
    attributes: {
      ...common(run, told),
      'mlflow.spanType': 'CHAT_MODEL',
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': provider,
      'gen_ai.request.model': model,
      'gen_ai.response.model': model,
      ...(usage && usageAttributes(usage)),
      // A price of nothing means that the gateway was told none.
      ...(costUsd && { 'mlflow.llm.cost': JSON.stringify({ total_cost: costUsd }) }),
      ...(timeToFirstByteMs !== undefined && { 'fleet.time_to_first_byte_ms': timeToFirstByteMs }),
      ...(error !== undefined && { 'error.type': error }),
    },
    ...(error !== undefined && { error: `the model's call failed: ${error}` }),
  };
}

function usageAttributes(usage       )             {
  return {
    'gen_ai.usage.input_tokens': usage.inputTokens,
    'gen_ai.usage.output_tokens': usage.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': usage.cacheReadTokens,
    'gen_ai.usage.cache_creation.input_tokens': usage.cacheWriteTokens,
  };
}

/** The span of one tool call, of what is known of it. */
export function toolCallSpan(run         , callId        , call          , told      )       {
  const { event, content } = call;
  const parentSpanId = event?.trace.parentSpanId ?? run.spanId ?? run.place.parentSpanId;
  const endMs = event?.at ?? call.heardAt;
  const failure = toolFailure(event, content);
  return {
    traceId: run.place.traceId,
    spanId: callSpanId(parentSpanId, callId),
    ...parent(parentSpanId),
    name: 'tool.execution',
    kind: 'internal',
    startMs: endMs - (event?.durationMs ?? content?.durationMs ?? 0),
    endMs,
    attributes: {
      ...common(run, told),
      'mlflow.spanType': 'TOOL',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': event?.tool ?? content?.tool ?? 'unknown',
      'gen_ai.tool.call.id': callId,
      ...(told.content &&
        content && {
          'gen_ai.tool.call.arguments': content.input,
          'gen_ai.tool.call.result': content.output,
        }),
      ...(content?.exitCode !== undefined && { 'process.exit.code': content.exitCode }),
      ...(failure && { 'error.type': failure.type }),
    },
    ...(failure && { error: told.content ? failure.message : failure.type }),
  };
}

/** The gateway's id of the call's span is not known to the hook; calls are numbered anew in every run. */
function callSpanId(parentSpanId                    , callId        )         {
  return createHash('sha256').update(`${parentSpanId} ${callId}`).digest('hex').slice(0, 16);
}

/** The span of one attempt of the agent at its task. */
export function runSpan(run         , ended          , told      )       {
  // The gateway calls an attempt complete whose model failed: its answer is the error.
  const outcome = ended.outcome === 'completed' && run.modelError !== undefined ? 'error' : ended.outcome;
  const reason = (told.content && run.said?.error) || ended.error || run.modelError || outcome;
  const lost = told.lost();
  return {
    traceId: run.place.traceId,
    spanId: run.spanId ?? ended.trace.spanId,
    ...parent(run.place.parentSpanId),
    name: 'agent.run',
    kind: 'internal',
    startMs: ended.at - ended.durationMs,
    endMs: ended.at,
    attributes: {
      ...common(run, told),
      'mlflow.spanType': 'AGENT',
      'gen_ai.operation.name': 'invoke_agent',
      ...(run.place.agent && { 'gen_ai.agent.name': run.place.agent }),
      ...(told.content && run.said && { 'mlflow.spanOutputs': run.said.text }),
      'fleet.outcome': outcome,
      'fleet.duration_ms': ended.durationMs,
      ...(ended.sessionId && { 'openclaw.session.id': ended.sessionId }),
      ...(lost > 0 && { 'fleet.lost_spans': lost }),
      ...(outcome !== 'completed' && { 'error.type': outcome }),
    },
    ...(outcome !== 'completed' && { error: reason }),
  };
}

function common({ place }         , { host }      )             {
  return { 'host.name': host, ...(place.run && { 'fleet.run': place.run }) };
}

function parent(parentSpanId                    )                             {
  return parentSpanId === undefined ? {} : { parentSpanId };
}
