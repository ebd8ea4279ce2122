import type { Logger } from 'pino';
import type { View } from './views/view.ts';

const tellTimeoutMs = 5_000;

/** What makes a message visible to one person only, and keeps the message with the button as it is. */
export function ephemeral(view: View) {
  return { response_type: 'ephemeral', replace_original: false, ...view } as const;
}

/**
 * Says something to the person behind a command or click, over its response URL (5 uses in 30 minutes).
 * Never rejects: what cannot be said is logged.
 */
export async function tellPerson(responseUrl: string, view: View, log: Logger): Promise<void> {
  try {
    const response = await fetch(responseUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ephemeral(view)),
      signal: AbortSignal.timeout(tellTimeoutMs),
    });
    if (!response.ok) log.warn({ status: response.status, said: view.text }, 'the person could not be told');
  } catch (error) {
    log.warn({ err: error, said: view.text }, 'the person could not be told');
  }
}
