import type { Fleet } from '../fleet/fleet.ts';
import { periodExamples, periodWords } from '../fleet/period.ts';
import { suggest } from '../fleet/suggest.ts';
import { machineHint } from './machine-hint.ts';
import type { Asker } from './people.ts';

/**
 * What to add to "no machine matches" where a word could have been a period or a person, too.
 * @param typed a word that is none of the three
 */
export async function scopeHint(typed: string, fleet: Fleet, asker: Asker): Promise<string> {
  if (/^<?@/.test(typed)) {
    return ' A person is a mention that Slack offers after `@`, an id such as `U0ALEX`, or `me`.';
  }
  if (/^(\d[\d-]*[a-z]*|tomorrow)$/i.test(typed)) return ` A period is one of these: ${periodExamples}.`;
  const word = /^[a-z]+$/i.test(typed) ? suggest(typed, periodWords) : undefined;
  return word === undefined ? machineHint(typed, 'view', fleet, asker) : ` Did you mean \`${word}\`?`;
}
