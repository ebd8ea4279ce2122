import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActionOutcome, Run } from '../../../src/fleet/run.ts';
import { eventually } from '../parts/eventually.ts';
import { type ActingFleet, startActingFleet } from './parts/acting-fleet.ts';
import type { Role } from './parts/apart.ts';
import { approvers } from './parts/people.ts';
import {
  countingEntry,
  countingRules,
  executions,
  holdAt,
  letGo,
  type Place,
  places,
  stillRuns,
} from './parts/places.ts';
import type { Question } from './parts/question.ts';

const machineAt = (place: Place) => `is-${place}`;

/** How often an outcome that is honest may have been done. */
const honest: Readonly<Record<ActionOutcome, readonly number[]>> = {
  done: [1],
  failed: [1],
  unknown: [0, 1],
  refused: [0],
  'not-begun': [0],
  'not-needed': [0],
};

let fleet: ActingFleet;
const table: string[] = [];

beforeAll(async () => {
  fleet = await startActingFleet(
    places.map((place) => ({ name: machineAt(place), entry: countingEntry })),
    countingRules,
  );
});

afterAll(async () => {
  process.stderr.write(
    `\nkilled    while      outcome    executions  effect        done after\n${table.join('\n')}\n`,
  );
  await fleet?.[Symbol.asyncDispose]();
});

async function killRole(role: Role): Promise<void> {
  await fleet.roles.kill(role);
  await fleet.roles.start(role);
}

/** SIGKILL, and started again. */
const victims: Readonly<Record<string, () => Promise<void>>> = {
  worker: () => killRole('worker'),
  bot: () => killRole('bot'),
  signer: () => killRole('signer'),
  Redis: async () => {
    await fleet.roles.redis.kill();
    await fleet.roles.redis.restart();
  },
  machine: async () => {
    const machines = places.map((place) => fleet.machine(machineAt(place)));
    await Promise.all(machines.map((machine) => machine.kill()));
    await Promise.all(machines.map((machine) => machine.boot()));
  },
};

/** Brings a run into each place, by five clicks at once. The signer is frozen then, because one run waits for it. */
async function bringIntoPlace(): Promise<ReadonlyMap<Place, Question>> {
  const questions = new Map<Place, Question>();
  for (const place of places) {
    const name = machineAt(place);
    await holdAt(fleet.machine(name), place);
    questions.set(place, await fleet.ask(`run ${name} count`));
  }
  for (const question of questions.values()) await question.asked();
  const approve = async (place: Place) => {
    await questions.get(place)?.click(approvers, 'approve');
    return questions.get(place)?.reaches(place);
  };
  await approve('acting');
  await eventually(async () => expect(await executions(fleet.machine(machineAt('acting')))).toBe(1));
  await approve('verifying');
  fleet.roles.freeze('signer');
  await approve('approved');
  return questions;
}

/** How a run ended, once its outcome is told. */
async function endOf(question: Question): Promise<Run> {
  const { run } = await question.ended();
  expect(run.action?.outcome).toBeDefined();
  return run;
}

describe.each(Object.keys(victims))('when %s is killed', (victim) => {
  let questions: ReadonlyMap<Place, Question>;
  let killedAt: number;

  beforeAll(async () => {
    questions = await bringIntoPlace();
    const waiting = questions.get('awaiting');
    killedAt = Date.now();
    const clicks = waiting?.click(approvers, 'approve').catch(() => undefined);
    await victims[victim]?.();
    await clicks;
    fleet.roles.thaw('signer');
    await fleet.roles.ready();
    for (const place of places) letGo(fleet.machine(machineAt(place)));
    // Who saw no answer clicks again.
    await waiting?.click(approvers, 'approve');
  });

  it.each(places)('while a run is %s: done at most once, and what is told is true', async (place) => {
    const question = questions.get(place);
    if (!question) throw new Error(`no run is ${place}`);
    const name = machineAt(place);
    const run = await endOf(question);
    const { outcome = 'unknown', effect = '' } = run.action ?? {};
    const times = await executions(fleet.machine(name));
    const tookMs = (run.timeline.at(-1)?.at ?? 0) - killedAt;
    table.push(
      `${victim.padEnd(9)} ${place.padEnd(10)} ${outcome.padEnd(10)} ${String(times).padEnd(11)} ${effect.padEnd(13)} ${(tookMs / 1_000).toFixed(1)} s`,
    );
    expect(times).toBeLessThanOrEqual(1);
    expect(honest[outcome]).toContain(times);
    if (victim !== 'machine') expect(outcome).toBe('done');
    // One whose plug is pulled in the middle cannot tell.
    else if (place === 'acting') expect(outcome).toBe('unknown');
    expect(run.approval?.votes).toHaveLength(1);
    const kinds = (await fleet.entriesOf(run.id)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'approval.decided')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'action.began')).toHaveLength(outcome === 'not-begun' ? 0 : 1);
    expect(await stillRuns(fleet.machine(name))).toBe(false);
    await fleet.expectInert(name);
    expect((await fleet.status(name)).action).toBeUndefined();
    expect(await fleet.runOf(`check ${name} load`)).toMatchObject({ verdict: 'ok' });
  });
});
