/** A span that has ended. */
                       
                           
                          
                                 
                        
                                       
                                      
                           
                         
                                                                           
                                                            
                          
 

/** Numbers of OTLP's `trace.proto`. */
const kinds = { internal: 1, client: 3 };
const errorStatus = 2;

/**
 * A span as OTLP/JSON (opentelemetry-proto 1.x, `trace/v1`: ids in hex, 64-bit numbers as strings).
 * @param clean passes every text on its way out
 */
export function encodeSpan(span      , clean                          )         {
  return JSON.stringify({
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId && { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: kinds[span.kind],
    startTimeUnixNano: nanoseconds(span.startMs),
    endTimeUnixNano: nanoseconds(span.endMs),
    attributes: encodeAttributes(span.attributes, clean),
    ...(span.error !== undefined && { status: { code: errorStatus, message: clean(span.error) } }),
  });
}

/** The body of an export request with spans that are encoded already. */
export function exportBody(resource                    , spans                   )         {
  const attributes = JSON.stringify(encodeAttributes(resource, (text) => text));
  return (
    `{"resourceSpans":[{"resource":{"attributes":${attributes}},` +
    `"scopeSpans":[{"scope":{"name":"fleetbot"},"spans":[${spans.join(',')}]}]}]}`
  );
}

function encodeAttributes(attributes                    , clean                          ) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: encodeValue(value, clean) }));
}

function encodeValue(value                           , clean                          ) {
  if (typeof value === 'string') return { stringValue: clean(value) };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

function nanoseconds(ms        )         {
  return `${Math.round(ms)}000000`;
}
