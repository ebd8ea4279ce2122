import { describe, expect, it } from 'vitest';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { sandboxFleetFile } from '../../src/sandbox/sandbox-fleet.ts';

const text = sandboxFleetFile({ port: 22, hostKey: newKeyPair().publicKey });
const expectations = (file: string) => loadFleet(file, 'fleet.yaml').machines.get('sandbox-01')?.expect;

describe("the sandbox's fleet file", () => {
  it('is valid, and tells that it may be edited', () => {
    expect(text).toMatch(/^# .*Edit it while the sandbox runs/);
    expect(expectations(text)?.disk.warnUsedPercent).toBeGreaterThan(1);
  });

  it('makes the disk warn once the suggested line is no comment any more', () => {
    expect(expectations(text.replace('#expect', 'expect'))?.disk.warnUsedPercent).toBe(1);
  });
});
