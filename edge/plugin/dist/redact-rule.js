/**
 * One pattern of secrets. It must take time linear in the text: it begins with something literal or at a
 * fixed place, repeats only what can match in one way, and bounds whatever precedes a part that may be missing.
 */
                             
                           
                                                                                                        
                                                                                  
 

/** What stands in the place of a secret. */
export function marker(kind        )         {
  return `[redacted:${kind}]`;
}

/** Any marker, as a part of a pattern. */
export const anyMarker = String.raw`\[redacted:[a-z-]{1,32}\]`;

/** Not inside a word. A line break escaped in a JSON string (`\n`) does not count as the end of one. */
export const wordStart = String.raw`(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))`;

/** A rule from the source text of its pattern. */
export function redactRule(
  source        ,
  flags        ,
  replacement                           ,
)             {
  return { pattern: new RegExp(source, flags), replacement };
}
