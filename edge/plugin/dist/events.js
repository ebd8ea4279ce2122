import { amount, field, text } from './reader.js';
                                                   

/** What every event of a run tells. */
                    
                                                                                
                         
                               
                              
                             
                                                                                     
                      
 

/** The agent begins an attempt at its task. Its span is the parent of its calls' spans. */
                                              
                               
 

                                            
                             
                              
                           
                          
 

                                             
                              
                            
                         
                              
                                      
                         
                            
                          
 

                        
                              
                               
                                
                                   
                                    
 

                                            
                             
                        
                           
                              
                                   
                            
                          
 

                                                                      

/** The gateway's types of the events that are read here. */
export const eventTypes = [
  'run.started',
  'harness.run.completed',
  'harness.run.error',
  'model.call.completed',
  'model.call.error',
  'tool.execution.completed',
  'tool.execution.error',
  'tool.execution.blocked',
]         ;

/**
 * What an event of the gateway's diagnostics tells; undefined for other types and shapes. Never throws.
 * Source: `dist/diagnostic-events-*.d.ts` of openclaw@2026.9.6, and events as they came.
 */
export function readEvent(event         )                         {
  const base = readBase(event);
  const type = eventTypes.find((known) => known === text(event, 'type'));
  if (base === undefined || type === undefined) return undefined;
  const durationMs = amount(event, 'durationMs') ?? 0;
  switch (type) {
    case 'run.started':
      return { ...base, kind: 'run-started' };
    case 'harness.run.completed':
      return { ...base, kind: 'run-ended', durationMs, outcome: text(event, 'outcome') ?? 'completed' };
    case 'harness.run.error':
      return { ...base, kind: 'run-ended', durationMs, outcome: 'error', error: errorOf(event) };
    case 'model.call.completed':
      return { ...base, ...readModelCall(event), durationMs };
    case 'model.call.error':
      return { ...base, ...readModelCall(event), durationMs, error: errorOf(event) };
    case 'tool.execution.completed':
      return { ...base, ...readToolCall(event), durationMs };
    case 'tool.execution.error':
      return { ...base, ...readToolCall(event), durationMs, error: errorOf(event) };
    case 'tool.execution.blocked':
      return { ...base, ...readToolCall(event), durationMs, blocked: blockedBecause(event) };
  }
}

function readBase(event         )                       {
  const runId = text(event, 'runId');
  const at = amount(event, 'ts');
  const trace = readTrace(field(event, 'trace'));
  if (runId === undefined || at === undefined || trace === undefined) return undefined;
  const sessionKey = text(event, 'sessionKey');
  const sessionId = text(event, 'sessionId');
  return { runId, at, trace, ...(sessionKey && { sessionKey }), ...(sessionId && { sessionId }) };
}

function readTrace(trace         )                         {
  const traceId = hex(trace, 'traceId', 32);
  const spanId = hex(trace, 'spanId', 16);
  if (traceId === undefined || spanId === undefined) return undefined;
  const parentSpanId = hex(trace, 'parentSpanId', 16);
  return { traceId, spanId, ...(parentSpanId && { parentSpanId }) };
}

function hex(value         , name        , digits        )                     {
  const found = text(value, name);
  return found?.length === digits && /^[0-9a-f]+$/.test(found) ? found : undefined;
}

function readModelCall(event         ) {
  const timeToFirstByteMs = amount(event, 'timeToFirstByteMs');
  const usage = readUsage(field(event, 'usage'));
  const costUsd = amount(field(field(event, 'usage'), 'cost'), 'total');
  return {
    kind: 'model-call'         ,
    provider: text(event, 'provider') ?? 'unknown',
    model: text(event, 'model') ?? 'unknown',
    ...(timeToFirstByteMs !== undefined && { timeToFirstByteMs }),
    ...(usage && { usage }),
    ...(costUsd !== undefined && { costUsd }),
  };
}

/** The gateway counts cached tokens apart from `input`. A call that failed early reports zeros, which say nothing. */
function readUsage(usage         )                    {
  const cacheReadTokens = amount(usage, 'cacheRead') ?? 0;
  const cacheWriteTokens = amount(usage, 'cacheWrite') ?? 0;
  const inputTokens = (amount(usage, 'input') ?? 0) + cacheReadTokens + cacheWriteTokens;
  const outputTokens = amount(usage, 'output') ?? 0;
  if (inputTokens + outputTokens === 0) return undefined;
  return { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens };
}

function readToolCall(event         ) {
  const callId = text(event, 'toolCallId');
  return {
    kind: 'tool-call'         ,
    tool: text(event, 'toolName') ?? 'unknown',
    ...(callId && { callId }),
  };
}

function errorOf(event         )         {
  return (
    text(event, 'failureKind') ??
    text(event, 'terminalReason') ??
    text(event, 'errorCode') ??
    text(event, 'errorCategory') ??
    'failed'
  );
}

function blockedBecause(event         )         {
  return text(event, 'deniedReason') ?? text(event, 'reason') ?? 'blocked';
}
