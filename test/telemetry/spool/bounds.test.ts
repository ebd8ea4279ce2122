import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { endedLines } from '../../../src/telemetry/spool/lines.ts';
import { MemoryLines } from '../../../src/telemetry/spool/memory-lines.ts';
import { RefusedSpans, refusedFile } from '../../../src/telemetry/spool/refused-spans.ts';
import { SpoolUnderTest } from './a-spool.ts';
import { anySpan } from './any-span.ts';

it('memory takes spans up to its limit, and again once they are sent', async () => {
  const [line, ...others] = endedLines(fc.sample(anySpan, 3));
  if (!line || others.length > 0) throw new Error('not one line');
  const memory = new MemoryLines(Buffer.byteLength(line.text) * 2);
  expect(memory.add([line, line, line])).toBe(3);
  expect(memory.spans).toBe(6);
  expect(memory.add([line])).toBe(3);
  await memory.next()?.done();
  expect(memory.spans).toBe(0);
  expect(memory.add([line])).toBe(0);
});

it('refused spans are kept up to their limit, and counted beyond it', async () => {
  const { folder } = await SpoolUnderTest.start();
  const logged: { readonly msg: string }[] = [];
  const log = pino({}, { write: (line) => logged.push(JSON.parse(line)) });
  let now = 0;
  const clock = () => now;
  const [span] = fc.sample(anySpan, 1);
  if (!span) throw new Error('no span');
  await new RefusedSpans({ folder, maxBytes: 1_000_000, clock, log }).add(span, undefined);
  const kept = readFileSync(refusedFile(folder), 'utf8');
  const refused = new RefusedSpans({ folder, maxBytes: kept.length, clock, log });
  now += 60_000;
  await refused.add(span, undefined);
  expect(refused.count).toBe(1);
  expect(readFileSync(refusedFile(folder), 'utf8')).toBe(kept);
  expect(logged.map(({ msg }) => msg)).toEqual([
    expect.stringContaining('stands in refused.jsonl'),
    expect.stringContaining('cannot be kept'),
  ]);
});
