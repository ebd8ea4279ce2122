import { expect, it } from 'vitest';
import { type LockResult, tellLocks } from '../../src/runtime/tell-locks.ts';

async function told(results: readonly LockResult[], json = false) {
  let text = '';
  let now = 0;
  const clock = () => {
    now += 1_500;
    return now;
  };
  const each = async function* () {
    yield* results;
  };
  const write = (part: string) => {
    text += part;
  };
  const isWell = await tellLocks(each(), { wanted: 'inactive', json, write, clock });
  return { isWell, lines: text.trimEnd().split('\n') };
}

const locked: LockResult = { machine: 'web-01', outcome: 'inactive' };
const gone: LockResult = { machine: 'web-02', outcome: 'unreachable', detail: 'No answer.' };

it('tells each machine and a summary, and is well only when all are as wanted', async () => {
  expect(await told([locked])).toEqual({
    isWell: true,
    lines: ['web-01: inactive and locked', '1 machines in 1.5 s: 1 inactive and locked.'],
  });
  expect(await told([locked, gone, { machine: 'web-03', outcome: 'ending', detail: 'Grows.' }])).toEqual({
    isWell: false,
    lines: [
      'web-01: inactive and locked',
      'web-02: unreachable, not locked: No answer.',
      'web-03: locked, but left to end: Grows.',
      '3 machines in 1.5 s: 1 inactive and locked; 1 locked, but left to end; 1 unreachable, not locked.',
    ],
  });
});

it('tells programs the same as JSON lines', async () => {
  const { lines } = await told([locked, gone], true);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    locked,
    gone,
    { total: 2, inactive: 1, unreachable: 1, durationMs: 1_500 },
  ]);
});
