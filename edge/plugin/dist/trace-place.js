/** The ids of a span as the gateway gives them to its events. */
                             
                           
                          
                                 
 

/** Where an agent's run belongs. */
                             
                           
                                                                                             
                                 
                         
                        
                          
 

/** `agent:AGENT:RUN-tp-TRACEID-SPANID`, as `src/edge-client/transports/session-key.ts` makes it. */
const fleetKey =
  /^agent:(?<agent>[^:]+):(?<run>.+)-tp-(?<traceId>(?!0{32})[0-9a-f]{32})-(?<spanId>(?!0{16})[0-9a-f]{16})$/;

/**
 * The place that the session's key names. Both transports put the supervisor's trace there, so that one rule serves
 * both: over the WebSocket the gateway's own trace is the same one, over HTTP it is another. A session that no
 * supervisor began stays in the trace that the gateway gave it; undefined without any.
 */
export function tracePlace(
  sessionKey                    ,
  trace                        ,
)                         {
  const named = sessionKey === undefined ? undefined : fleetKey.exec(sessionKey)?.groups;
  const { traceId, spanId, run, agent } = named ?? {};
  if (traceId === undefined || spanId === undefined || run === undefined || agent === undefined) {
    return trace && { traceId: trace.traceId };
  }
  return { traceId, parentSpanId: spanId, run, agent };
}
