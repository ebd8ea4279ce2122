import fc from 'fast-check';
import { expect, it } from 'vitest';
import { capsuleSchema } from '../../src/fleet/capsule.ts';
import { type Run, runSchema } from '../../src/fleet/run.ts';
import { signCapsule } from '../../src/signer/sign-capsule.ts';
import { approvedRun, askFor, byRule, destructive, means } from './approved-run.ts';

type Path = readonly (string | number)[];

const rules = means();
const runs = [
  approvedRun(),
  approvedRun({ ...byRule, id: 'r-00000000000b' }),
  approvedRun({ ...destructive, id: 'r-00000000000c' }),
  approvedRun({ machine: 'web-02', id: 'r-00000000000d' }),
];

/** Every place in a value, leaves and what holds them. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [path, ...entries.flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}

/** Puts something else there; `undefined` removes it. */
function put(value: unknown, path: Path, what: unknown): void {
  const holder = at(value, path.slice(0, -1));
  const key = path.at(-1);
  if (typeof holder !== 'object' || holder === null || key === undefined) return;
  if (what === undefined) Reflect.deleteProperty(holder, key);
  else Reflect.set(holder, key, structuredClone(what));
}

const everything = runs.flatMap((run) => pathsOf(run).map((path) => at(run, path)));

/** Something that stands elsewhere in a record that is in order, or anything at all. */
const anything = fc.oneof(
  fc.constantFrom(...everything),
  fc.constantFrom('reversible', 'rule', 'agent', 'person', 'approve', 'check', 'act', '', 0, 1, true, [], {}),
  fc.string(),
  fc.integer(),
  fc.jsonValue(),
  fc.constant(undefined),
);

/** Of a capsule, what it has a machine do. */
function deedOf(run: Run): unknown {
  const reply = signCapsule(askFor(run), run, rules);
  if ('refused' in reply) return undefined;
  const { machine, action, argv, requestedBy } = capsuleSchema.parse(JSON.parse(reply.signed.capsule));
  return { machine, action, argv, requestedBy };
}

it('whatever of a record is changed, it is refused, or signed as if nothing had been', () => {
  const tampering = fc.constantFrom(...runs).chain((run) =>
    fc.record({
      run: fc.constant(run),
      changes: fc.array(fc.tuple(fc.constantFrom(...pathsOf(run)), anything), { minLength: 1, maxLength: 4 }),
    }),
  );
  fc.assert(
    fc.property(tampering, ({ run, changes }) => {
      const record: unknown = structuredClone(run);
      for (const [path, what] of changes) put(record, path, what);
      const tampered = runSchema.safeParse(record).data;
      if (tampered === undefined) return;
      const deed = deedOf(tampered);
      if (deed === undefined) return;
      // Its id and all that belongs to it may have become those of another run that is in order.
      const untampered = runs.find(({ id }) => id === tampered.id);
      expect(deed).toEqual(untampered && deedOf(untampered));
    }),
    { numRuns: 1_500 },
  );
});
