import { expect, it } from 'vitest';
import { moveRun } from '../../src/fleet/run.ts';
import { acceptedAt, sampleRun } from '../support/sample-run.ts';

it('a run moves at the time of whoever moves it', () => {
  const run = moveRun(sampleRun('r-00000000aaaa', 'queued'), 'gathering', acceptedAt + 500);
  expect(run.timeline).toEqual([
    { state: 'queued', at: acceptedAt },
    { state: 'gathering', at: acceptedAt + 500 },
  ]);
});

it('its timeline never goes back, where the clock of the next one is behind', () => {
  const ahead = moveRun(sampleRun('r-00000000aaaa', 'queued'), 'gathering', acceptedAt + 5_000);
  const behind = moveRun(ahead, 'done', acceptedAt + 1_000);
  expect(behind.timeline.map(({ at }) => at)).toEqual([acceptedAt, acceptedAt + 5_000, acceptedAt + 5_000]);
});

it('it makes no move that its states do not have', () => {
  expect(() => moveRun(sampleRun('r-00000000aaaa', 'done'), 'gathering', acceptedAt)).toThrow(RangeError);
});
