import { expect, it } from 'vitest';
import { type ProofResult, tellProofs } from '../../src/runtime/tell-proofs.ts';

async function told(proofs: readonly ProofResult[], json = false) {
  let text = '';
  const each = async function* () {
    yield* proofs;
  };
  const write = (part: string) => {
    text += part;
  };
  const isSound = await tellProofs(each(), { machine: 'web-01', expected: ['pin', 'stop'], json, write });
  return { isSound, lines: text.trimEnd().split('\n') };
}

const pin: ProofResult = { name: 'pin', outcome: 'proved', detail: 'shows the key', durationMs: 1_240 };
const stop: ProofResult = { name: 'stop', outcome: 'failed', detail: 'It runs.', durationMs: 12_000 };

it('tells each proof and a summary; a machine of which something failed is not sound', async () => {
  expect(await told([pin, stop])).toEqual({
    isSound: false,
    lines: [
      '✓ pin         1.2 s  shows the key',
      '✗ stop       12.0 s  It runs.',
      'web-01: 1 proved, 1 failed, 0 skipped.',
    ],
  });
});

it('names what was not tried, which is not sound either', async () => {
  const { isSound, lines } = await told([pin]);
  expect(isSound).toBe(false);
  expect(lines.at(-1)).toBe('web-01: 1 proved, 0 failed, 0 skipped; not tried: stop.');
});

it('is sound where what could not be tried says why, and tells programs the same', async () => {
  const skipped = { ...stop, outcome: 'skipped' } as const;
  const { isSound, lines } = await told([pin, skipped], true);
  expect(isSound).toBe(true);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { machine: 'web-01', ...pin },
    { machine: 'web-01', ...skipped },
    { ...{ machine: 'web-01', proved: 1, failed: 0, skipped: 1, notTried: [], sound: true } },
  ]);
});
