import { describe, expect, it } from 'vitest';
import { readMachine } from '../../src/queue/records.ts';

describe("a machine's record", () => {
  it('is read also where another version of fleetbot has kept drift in words of its own', () => {
    const drift = JSON.stringify({ since: 1, parts: [{ part: 'moon', expected: 'full', found: null }] });
    expect(readMachine(['7', 'r-1', null, drift])).toEqual({ fence: 7, currentRunId: 'r-1' });
  });
});
