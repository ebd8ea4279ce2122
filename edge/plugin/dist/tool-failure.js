                                            
                                              

                              
                                                                                           
                        
                           
 

/** What `on-host` prints, and its exit code, when the machine's broker refuses a command. */
const refusal = /^refused \([a-z-]+\): .*$/m;
const refusedExitCode = 126;

/** Why a tool call is to be shown as failed; undefined for one that did what it was called for. */
export function toolFailure(
  event                      ,
  content                         ,
)                          {
  if (content?.blocked || event?.blocked) {
    return { type: 'blocked', message: firstLine(content?.error ?? event?.blocked ?? 'blocked') };
  }
  if (content?.error && /\bdenied\b/i.test(content.error)) {
    return { type: 'denied', message: firstLine(content.error) };
  }
  const [refused] = (content?.exitCode === refusedExitCode && refusal.exec(content.output)) || [];
  if (refused) return { type: 'denied', message: refused };
  if (content?.error || event?.error) {
    return { type: event?.error ?? 'failed', message: firstLine(content?.error ?? event?.error ?? '') };
  }
  // The gateway calls a command that ended with another exit code than 0 a success.
  if (content?.exitCode) return { type: 'exit-code', message: `ended with exit code ${content.exitCode}` };
  return undefined;
}

function firstLine(text        )         {
  return text.trimStart().split('\n', 1)[0] ?? '';
}
