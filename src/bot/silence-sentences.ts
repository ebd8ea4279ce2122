import type { Machine } from '../fleet/machine.ts';
import { silencedWords, silencer } from '../fleet/silence.ts';
import { listed } from './names-of.ts';
import type { Services } from './services.ts';

/**
 * A sentence for each silence that holds for some of the machines: what the person asked for goes on there, and nobody
 * is asked about what it finds. Empty where the store does not answer: the request does not depend on it.
 */
export async function silenceSentences(
  machines: readonly Machine[],
  { silences, clock, log }: Services,
): Promise<readonly string[]> {
  try {
    const silenced = Map.groupBy(machines, silencer(await silences.holding(), clock()));
    return [...silenced].flatMap(([silence, those]) =>
      silence === undefined
        ? []
        : [
            `${listed(those)}: ${silencedWords(silence)} (\`${silence.id}\`). What you asked for goes on; nobody is asked about what it finds.`,
          ],
    );
  } catch (error) {
    log.warn({ err: error }, 'whether machines are silenced could not be looked up');
    return [];
  }
}
