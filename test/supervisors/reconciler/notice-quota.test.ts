import { expect, it } from 'vitest';
import { NoticeQuota } from '../../../src/supervisors/reconciler/notice-quota.ts';

it('a channel has room for 20 notices in ten minutes, then again; another channel has its own', () => {
  const quota = new NoticeQuota();
  const taken = (channel: string, now: number) => Array.from({ length: 22 }, () => quota.take(channel, now));
  const full = [...Array.from({ length: 19 }, () => 'more'), 'last', 'none', 'none'];
  expect(taken('C01', 1_000)).toEqual(full);
  expect(taken('C02', 1_000)).toEqual(full);
  expect(quota.take('C01', 600_999)).toBe('none');
  expect(quota.take('C01', 601_000)).toBe('more');
});
