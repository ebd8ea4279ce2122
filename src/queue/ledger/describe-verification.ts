import type { ChainCheck, FindingKind } from './check-chain.ts';
import type { Verification } from './verify-ledger.ts';

const titles: Readonly<Record<FindingKind, string>> = {
  tampering: 'TAMPERING: these files are not as fleetbot wrote them',
  gap: 'MISSING: entries that never reached the files',
  rewind: 'Rewinds: Redis lost entries that had been exported; nothing is missing here',
  torn: 'Crashes while a line was written; its entry follows',
};
const kinds = ['tampering', 'gap', 'rewind', 'torn'] as const satisfies readonly FindingKind[];

/** What `fleetbot ledger verify` prints: what was found, and what was proved. */
export function describeVerification({ check, kept, sound }: Verification): string {
  const lines = kinds.flatMap((kind) => findingsOf(kind, check));
  const { proved, firstSeq, next } = check;
  const range = check.entries === 0 ? '' : ` from ${firstSeq} to ${next - 1}`;
  lines.push(
    `${many(check.entries, 'entry', 'entries')}${range}, ${many(check.checkpoints, 'checkpoint')} signed by key ${check.keyId}.`,
  );
  if (firstSeq !== undefined && firstSeq > 1) {
    lines.push(`Entries before ${firstSeq} are not in these files.`);
  }
  if (proved !== undefined) {
    const { seq, at } = proved;
    lines.push(
      `Proved up to entry ${seq} by the checkpoint of ${new Date(at).toISOString()}; not covered yet: ${many(check.uncovered, 'entry', 'entries')} after it.`,
    );
  }
  if (kept === undefined) {
    lines.push(
      'Whether whole lines were cut off at the end shows only against a checkpoint that was kept elsewhere (--checkpoint).',
    );
  } else if (sound) {
    lines.push(`Nothing was cut off before the checkpoint at entry ${kept.seq} that was kept elsewhere.`);
  }
  lines.push(sound ? 'The ledger is sound.' : 'The ledger is NOT sound.');
  return `${lines.join('\n')}\n`;
}

function findingsOf(kind: FindingKind, check: ChainCheck): readonly string[] {
  const count = check.count(kind);
  if (count === 0) return [];
  const told = check.findings.filter((finding) => finding.kind === kind).map(({ text }) => `  ${text}.`);
  const more = count > told.length ? [`  and ${count - told.length} more.`] : [];
  return [`${titles[kind]}:`, ...told, ...more];
}

function many(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`;
}
