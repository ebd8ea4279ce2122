import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exportSpans } from '../../../src/telemetry/spool/export-spans.ts';
import { anySpan } from './any-span.ts';

it('a span that cannot be written for MLflow is refused, or it would hold up all others', async () => {
  const exporter = {
    export: () => {
      throw new RangeError('no such number');
    },
    shutdown: async () => {},
  };
  expect(await exportSpans(exporter, fc.sample(anySpan, 2))).toMatchObject({
    ...{ outcome: 'refused', error: { cause: { message: 'no such number' } } },
  });
});
