import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { newSigningKeyPair, readSigningKey } from '../../../src/fleet/signing-key.ts';
import { signCheckpoint } from '../../../src/queue/ledger/ledger-key.ts';
import { redact } from '../../../src/telemetry/redact.ts';

it('a checkpoint that stands in a log can be checked: nothing in it looks like a secret', () => {
  const key = readSigningKey(newSigningKeyPair().privateKey, 'ledger');
  for (let seq = 0; seq < 10_000; seq += 1) {
    const chain = createHash('sha256').update(String(seq)).digest('hex');
    const { signature } = signCheckpoint({ seq, chain, at: seq }, key);
    expect([redact(chain), redact(signature)]).toEqual([chain, signature]);
  }
});
