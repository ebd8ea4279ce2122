import { expect, test } from 'vitest';
import { driftOf, expectedOn } from '../../src/fleet/drift.ts';
import { edgeKitVersion, type Installed } from '../../src/fleet/edge-kit.ts';
import { edgePolicy, policyDigest } from '../../src/fleet/edge-policy.ts';
import { machineWith } from './fixtures.ts';

const image = `quay.io/a/b@sha256:${'a'.repeat(64)}`;
const machine = machineWith();
const pinned = machineWith(`    agent: { image: "${image}" }\n`);

function installed(changes: Partial<Installed> = {}): Installed {
  const [gate, broker, plugin] = [edgeKitVersion, edgeKitVersion, edgeKitVersion];
  return {
    gate,
    broker,
    plugin,
    traces: true,
    image,
    policy: policyDigest(edgePolicy(machine, new Map())),
    ...changes,
  };
}

test('a machine on which everything is as it should be has not drifted', () => {
  expect(driftOf(expectedOn(machine, new Map()), installed())).toEqual([]);
  expect(driftOf(expectedOn(pinned, new Map()), installed())).toEqual([]);
});

test('every part that is another one is told, in a fixed order', () => {
  const other = {
    gate: '0.9.0',
    broker: '0.8.0',
    plugin: '0.7.0',
    traces: true,
    image: 'x',
    policy: 'sha256:1',
  };
  expect(driftOf(expectedOn(pinned, new Map()), other)).toEqual([
    { part: 'policy', expected: installed().policy, found: 'sha256:1' },
    { part: 'agent image', expected: image, found: 'x' },
    { part: 'gate', expected: edgeKitVersion, found: '0.9.0' },
    { part: 'broker', expected: edgeKitVersion, found: '0.8.0' },
    { part: 'plugin', expected: edgeKitVersion, found: '0.7.0' },
  ]);
});

test('what a machine cannot tell is not taken for what should be there', () => {
  const drift = driftOf(expectedOn(machine, new Map()), installed({ policy: null, broker: null }));
  expect(drift.map(({ part, found }) => [part, found])).toEqual([
    ['policy', null],
    ['broker', null],
  ]);
});

test('any image will do where the fleet file names none', () => {
  expect(driftOf(expectedOn(machine, new Map()), installed({ image: 'another' }))).toEqual([]);
  expect(driftOf(expectedOn(machine, new Map()), installed({ image: null }))).toEqual([]);
});

test('a changed fleet file makes the policy of before drift', () => {
  const changed = machineWith('    checks: [disk]\n');
  expect(driftOf(expectedOn(changed, new Map()), installed())).toMatchObject([{ part: 'policy' }]);
});
