import type { Fact } from '../../fleet/audit/fact.ts';
import { factOf } from '../../fleet/audit/read-fact.ts';
import { readLine } from './ledger-line.ts';
import type { MissingEntries } from './missing-entries.ts';
import { readLines } from './read-lines.ts';
import { readable } from './verify-ledger.ts';

/**
 * The facts in a file of an exported ledger, in their order. Proves nothing: `verifyLedger` does.
 * @param missing keeps count of the entries of all files
 * @param problem told, as a sentence, of each line that cannot be read and of entries that the file lacks
 * @throws InputError when the file cannot be read
 */
export async function* exportedFacts(
  file: string,
  missing: MissingEntries,
  problem: (sentence: string) => void,
): AsyncGenerator<Fact> {
  const lines = readLines(file);
  missing.begin();
  for (;;) {
    const { value, done } = await readable(file, () => lines.next());
    if (done === true) return;
    const { number, bytes } = value;
    const line = readLine(bytes)?.line;
    if (line === undefined) problem(`${file}:${number}: this is no line of a ledger.`);
    const lacking = line && missing.take(file, line);
    if (lacking !== undefined) problem(`${file}:${number}: ${lacking} before this line.`);
    if (line?.type === 'gap') {
      const entries = `entries ${line.from} to ${line.to}`;
      problem(`${file}:${number}: ${entries} are not there: Redis had lost them when their turn came.`);
    }
    if (line?.type !== 'entry') continue;
    const fact = factOf(line.position, line.entry);
    if (fact !== undefined) yield fact;
    else problem(`${file}:${number}: this version of fleetbot cannot read entry ${line.seq}.`);
  }
}
