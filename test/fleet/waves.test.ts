import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/fleet/errors.ts';
import { parseWaves, waveEnds } from '../../src/fleet/waves.ts';

const ends = (text: string, machines: number) => waveEnds(parseWaves(text), machines);

describe('waves', () => {
  it('end after so many machines', () => {
    expect(ends('1,10%,rest', 1_000)).toEqual([1, 101, 1_000]);
    expect(ends('1,10%', 1_000)).toEqual([1, 101, 1_000]);
    expect(ends('5', 5)).toEqual([5]);
    expect(ends('rest', 7)).toEqual([7]);
  });

  it('take a share of all machines, rounded up', () => {
    expect(ends('1%,1%,rest', 10)).toEqual([1, 2, 10]);
    expect(ends('34%,34%,34%', 10)).toEqual([4, 8, 10]);
    expect(ends('100%', 3)).toEqual([3]);
  });

  it('for which no machine is left are none', () => {
    expect(ends('1,10%,rest', 2)).toEqual([1, 2]);
    expect(ends('10,20', 3)).toEqual([3]);
  });

  it.each(['', '0', '0%', '101%', '1,,2', '-1', '1.5', 'rest,1', '10 %', 'most', '1,'.repeat(30)])(
    'are not understood as "%s"',
    (text) => {
      expect(() => parseWaves(text)).toThrow(InputError);
    },
  );
});
