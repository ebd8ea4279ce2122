/** What came of trying to prove something of a machine. */
export interface ProofResult {
  readonly name: string;
  readonly outcome: 'proved' | 'failed' | 'skipped';
  readonly detail: string;
  readonly durationMs: number;
}

const signs: Readonly<Record<ProofResult['outcome'], string>> = { proved: '✓', failed: '✗', skipped: '–' };
const nameWidth = 10;

/**
 * Writes a line for each proof as it becomes known, then a summary; as JSON lines with `json`. Returns whether
 * nothing failed and all of `expected` was tried or told why not.
 */
export async function tellProofs(
  proofs: AsyncIterable<ProofResult>,
  options: {
    readonly machine: string;
    readonly expected: readonly string[];
    readonly json: boolean;
    readonly write: (text: string) => void;
  },
): Promise<boolean> {
  const { machine, expected, json, write } = options;
  const counts = { proved: 0, failed: 0, skipped: 0 };
  const untold = new Set(expected);
  for await (const proof of proofs) {
    counts[proof.outcome] += 1;
    untold.delete(proof.name);
    const seconds = `${(proof.durationMs / 1_000).toFixed(1)} s`.padStart(7);
    const line = `${signs[proof.outcome]} ${proof.name.padEnd(nameWidth)}${seconds}  ${proof.detail}`;
    write(json ? `${JSON.stringify({ machine, ...proof })}\n` : `${line}\n`);
  }
  const missing = untold.size === 0 ? '' : `; not tried: ${[...untold].join(', ')}`;
  const sound = counts.failed === 0 && untold.size === 0;
  const summary = `${machine}: ${counts.proved} proved, ${counts.failed} failed, ${counts.skipped} skipped${missing}.`;
  write(json ? `${JSON.stringify({ machine, ...counts, notTried: [...untold], sound })}\n` : `${summary}\n`);
  return sound;
}
