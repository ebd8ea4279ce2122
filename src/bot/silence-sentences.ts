import type { Machine } from '../fleet/machine.ts';
import { silencedWords, silencer } from '../fleet/silence.ts';
import { listed } from './names-of.ts';
import type { Services } from './services.ts';

const checkGoesOn = 'What you asked for goes on; nobody is asked about what it finds.';

/**
 * A sentence for each silence that holds for some of the machines, and what that means for what the person asked for.
 * Empty where the store does not answer: the request does not depend on it.
 */
export async function silenceSentences(
  machines: readonly Machine[],
  { silences, clock, log }: Services,
  meaning: string = checkGoesOn,
): Promise<readonly string[]> {
  try {
    const silenced = Map.groupBy(machines, silencer(await silences.holding(), clock()));
    return [...silenced].flatMap(([silence, those]) =>
      silence === undefined
        ? []
        : [`${listed(those)}: ${silencedWords(silence)} (\`${silence.id}\`). ${meaning}`],
    );
  } catch (error) {
    log.warn({ err: error }, 'whether machines are silenced could not be looked up');
    return [];
  }
}
