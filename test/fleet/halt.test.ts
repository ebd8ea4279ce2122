import { expect, test } from 'vitest';
import { holder } from '../../src/fleet/halt.ts';
import { sampleHalt } from '../support/sample-halt.ts';
import { cpuMsOf, machineWith } from './fixtures.ts';

const names = Array.from({ length: 2_000 }, (_, index) => `web-${index}`);
const machines = names.map((name) => ({ ...machineWith(), name }));
const person = { kind: 'person', userId: 'U1', teamId: 'T1' } as const;

test('a halt that lists 2,000 machines by name is held against all of them in little time', () => {
  const halt = sampleHalt({
    selector: names.slice(1).join(','),
    releases: [{ selector: names.slice(1_000).join(','), by: person, at: 1 }],
  });
  let held = 0;
  const tookMs = cpuMsOf(() => {
    held = machines.filter(holder(halt)).length;
  });
  expect(held).toBe(999);
  expect(tookMs).toBeLessThan(200);
});
