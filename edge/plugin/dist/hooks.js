import { amount, field, list, text } from './reader.js';

/** What a tool was called with and what it gave back. */
                              
                         
                               
                        
                           
                              
                         
                          
                             
                                          
                          
                                                          
                            
 

/** What the agent said at the end of an attempt. */
                            
                         
                        
                          
 

/** Reads `after_tool_call`. Never throws. */
export function readToolContent(event         , context         )                          {
  const runId = text(event, 'runId') ?? text(context, 'runId');
  if (runId === undefined) return undefined;
  const sessionKey = text(context, 'sessionKey');
  const callId = text(event, 'toolCallId') ?? text(context, 'toolCallId');
  const result = field(event, 'result');
  const details = field(result, 'details');
  const exitCode = amount(details, 'exitCode');
  const error = text(event, 'error') ?? text(details, 'error');
  return {
    runId,
    ...(sessionKey && { sessionKey }),
    tool: text(event, 'toolName') ?? 'unknown',
    ...(callId && { callId }),
    durationMs: amount(event, 'durationMs') ?? 0,
    input: inputOf(field(event, 'params')),
    output: outputOf(result),
    ...(exitCode !== undefined && { exitCode }),
    ...(error && { error }),
    blocked: text(details, 'status') === 'blocked',
  };
}

/** Reads `llm_output`. Never throws. */
export function readAgentText(event         )                        {
  const runId = text(event, 'runId');
  if (runId === undefined) return undefined;
  const error = text(field(event, 'lastAssistant'), 'errorMessage');
  const texts = list(event, 'assistantTexts').filter((part) => typeof part === 'string');
  return { runId, text: texts.join('\n'), ...(error && { error }) };
}

/** A command as it is; any other arguments as JSON. */
function inputOf(params         )         {
  return text(params, 'command') ?? json(params);
}

function outputOf(result         )         {
  const parts = list(result, 'content').map((part) => text(part, 'text') ?? '');
  return parts.length > 0 ? parts.join('\n') : json(result);
}

function json(value         )         {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '(cannot be shown)';
  }
}
