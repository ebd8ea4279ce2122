import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { context, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { SpanDecoder } from '../../../src/telemetry/spool/decode-spans.ts';
import { readLine } from '../../../src/telemetry/spool/lines.ts';
import { Spool } from '../../../src/telemetry/spool/spool.ts';
import { noSpans, SpoolUnderTest } from './a-spool.ts';
import { anySpan } from './any-span.ts';
import { diskOf } from './disk-of.ts';

const at = Date.UTC(2026, 10, 23, 4);
const away = { status: 404 };
const here = { status: 200 };
const patience = { timeout: 10_000 };

describe('spans that MLflow does not take', () => {
  it('are on disk after the turn in which they end, and leave it when they are sent', async () => {
    const spool = await SpoolUnderTest.start();
    spool.receiver.answer = away;
    const { tracer, ...telemetry } = await spool.telemetry();
    tracer.startSpan('one').end();
    tracer.startSpan('two').end();
    await nextTurn();
    const [line = '', ...others] = spool.text().trim().split('\n');
    expect(others).toEqual([]);
    expect(readLine(line, new SpanDecoder())?.spans.map(({ name }) => name)).toEqual(['one', 'two']);
    expect(telemetry.counts()).toMatchObject({ waitingSpans: 2 });
    spool.receiver.answer = here;
    await telemetry.flush();
    expect(telemetry.counts()).toEqual({ ...noSpans, exportedSpans: 2 });
    await telemetry.shutdown();
    expect(spool.lives()).toEqual([]);
  });

  it('arrive in the order in which they ended, however many wait', async () => {
    const spool = await SpoolUnderTest.start();
    spool.receiver.answer = away;
    const { tracer, ...telemetry } = await spool.telemetry();
    const names = Array.from({ length: 1_500 }, (_, index) => `span ${index}`);
    for (const [index, name] of names.entries()) {
      tracer.startSpan(name, { attributes: { text: 'x'.repeat(2_000) } }).end();
      if (index % 100 === 0) await nextTurn();
    }
    await telemetry.flush();
    expect(telemetry.counts().waitingSpans).toBe(1_500);
    expect(telemetry.counts().oldestWaitingMs).toBeGreaterThan(0);
    spool.receiver.answer = here;
    await vi.waitFor(() => expect(spool.arrived()).toHaveLength(1_500), patience);
    expect(spool.arrived()).toEqual(names);
    expect(spool.receiver.requests.length).toBeLessThan(100);
    await telemetry.shutdown();
    expect(spool.lives()).toEqual([]);
  });

  it('stay in the folder at a shutdown, which says so, and are sent by the next process', async () => {
    const spool = await SpoolUnderTest.start();
    spool.receiver.answer = 'silent';
    const first = await spool.telemetry();
    first.tracer.startSpan('left').end();
    await first.shutdown();
    expect(first.counts()).toEqual({ ...noSpans, waitingSpans: 1, oldestWaitingMs: expect.any(Number) });
    expect(spool.logged.at(-1)).toMatchObject({
      ...{ msg: expect.stringContaining('stays in the folder'), waitingSpans: 1 },
    });
    spool.receiver.answer = here;
    const next = await spool.telemetry();
    await vi.waitFor(() => expect(spool.arrived()).toEqual(['left']), patience);
    await vi.waitFor(() => expect(next.counts()).toEqual({ ...noSpans, exportedSpans: 1 }), patience);
  });
});

describe('what a kill leaves', () => {
  it('a shutdown leaves as well: a step that has not ended, also where nothing else waits', async () => {
    const spool = await SpoolUnderTest.start();
    const first = await spool.telemetry();
    const step = first.tracer.startSpan('agent.task');
    await nextTurn();
    await first.shutdown();
    expect(spool.arrived()).toEqual([]);
    await spool.telemetry();
    await vi.waitFor(() => expect(spool.arrived()).toEqual(['agent.task']), patience);
    expect(spool.receiver.spans[0]).toMatchObject({ spanId: step.spanContext().spanId, status: { code: 2 } });
  });

  it('is not touched any more by a process that stood still while another took it over', async () => {
    const under = await SpoolUnderTest.start();
    const disk = diskOf(under.folder);
    const spool = new Spool({ disk, clock: Date.now, log: pino({ level: 'silent' }) });
    await spool.open();
    const [first = '', ...others] = under.lives();
    expect(others).toEqual([]);
    rmSync(join(first, 'lock'));
    const lock = await disk.lockFile(join(first, 'lock'));
    await spool.lookAfter();
    expect(under.lives()).toHaveLength(2);
    spool.append({ ended: fc.sample(anySpan, 3), begun: [], open: [] });
    expect(readdirSync(first)).toEqual(['lock']);
    await spool.close();
    expect(await lock?.held()).toBe(true);
    await lock?.release();
  });

  it('is sent by another process that lives already: what had ended, and what it cut off as errors', async () => {
    const spool = await SpoolUnderTest.start();
    spool.receiver.answer = away;
    const killed = await spool.telemetry();
    const step = killed.tracer.startSpan('agent.task', {
      attributes: { machine: 'rhel-01' },
      startTime: at + 5_000,
    });
    const under = trace.setSpan(context.active(), step);
    await nextTurn();
    killed.tracer.startSpan('tool.execution', { startTime: at + 6_000 }, under).end(at + 7_000);
    const short = killed.tracer.startSpan('evidence', { startTime: at + 3_000 });
    await nextTurn();
    short.end(at + 4_000);
    await nextTurn();
    spool.kill();
    step.end();
    await killed.shutdown();
    spool.receiver.answer = here;
    await spool.telemetry();
    await vi.waitFor(() => expect(spool.lives()).toHaveLength(1), patience);
    const received = spool.receiver.spans;
    // The one that was shut down leaves the same spans, whose end it knows.
    const cutOff = received.filter(({ name, status }) => name === 'agent.task' && status.code === 2);
    expect(cutOff).toMatchObject([
      {
        ...{ spanId: step.spanContext().spanId, startMs: at + 5_000, endMs: at + 7_000 },
        status: { message: 'fleetbot was killed in this step' },
        attributes: { machine: 'rhel-01' },
      },
    ]);
    expect(received.find(({ name }) => name === 'evidence')).toMatchObject({
      endMs: at + 4_000,
      status: { code: 0 },
    });
    expect(received.find(({ name }) => name === 'tool.execution')?.parentSpanId).toBe(
      step.spanContext().spanId,
    );
  });

  it('in the middle of a line is left out, and said', async () => {
    const spool = await SpoolUnderTest.start();
    spool.receiver.answer = away;
    const killed = await spool.telemetry();
    killed.tracer.startSpan('whole').end();
    await nextTurn();
    const orphan = spool.kill();
    await killed.shutdown();
    for (const life of spool.lives()) if (life !== orphan) rmSync(life, { recursive: true });
    appendFileSync(join(orphan, '000001.jsonl'), '{"resourceSpans":[{"scopeSpans":[{"spans":[{"tra');
    spool.receiver.answer = here;
    await spool.telemetry();
    await vi.waitFor(() => expect(existsSync(orphan)).toBe(false), patience);
    expect(spool.arrived()).toEqual(['whole']);
    expect(spool.logged.map(({ msg }) => msg)).toContainEqual(expect.stringContaining('was torn'));
  });

  it('is not sent again as far as it was sent', async () => {
    const spool = await SpoolUnderTest.start();
    const killed = await spool.telemetry();
    killed.tracer.startSpan('sent').end();
    await killed.flush();
    spool.receiver.answer = away;
    killed.tracer.startSpan('waiting').end();
    await killed.flush();
    const orphan = spool.kill();
    await killed.shutdown();
    for (const life of spool.lives()) if (life !== orphan) rmSync(life, { recursive: true });
    spool.receiver.answer = here;
    const next = await spool.telemetry();
    await vi.waitFor(() => expect(existsSync(orphan)).toBe(false), patience);
    expect(spool.arrived()).toEqual(['sent', 'waiting']);
    expect(next.counts()).toEqual({ ...noSpans, exportedSpans: 1 });
  });

  it('keeps a step that is open while many segments come and go', async () => {
    const spool = await SpoolUnderTest.start();
    const killed = await spool.telemetry();
    const step = killed.tracer.startSpan('long');
    for (let index = 0; index < 60; index += 1) {
      killed.tracer.startSpan('big', { attributes: { text: 'x'.repeat(200_000) } }).end();
      await nextTurn();
    }
    await killed.flush();
    const orphan = spool.kill();
    step.end();
    await killed.shutdown();
    await spool.telemetry();
    await vi.waitFor(() => expect(existsSync(orphan)).toBe(false), patience);
    expect(
      spool.receiver.spans.filter(({ name }) => name === 'long').map(({ status }) => status.code),
    ).toContain(2);
    expect(spool.receiver.spans.filter(({ name }) => name === 'big')).toHaveLength(60);
  });

  it('of a process that is alive is left alone, and taken over by one process alone', async () => {
    const { folder } = await SpoolUnderTest.start();
    const open = async () => {
      const spool = new Spool({ disk: diskOf(folder), clock: Date.now, log: pino({ level: 'silent' }) });
      await spool.open();
      return spool;
    };
    const living = await open();
    living.append({ ended: fc.sample(anySpan, 3), begun: [], open: [] });
    const others = await Promise.all([open(), open(), open()]);
    await Promise.all(others.map((spool) => spool.lookAfter()));
    expect(others.map(({ waiting }) => waiting)).toEqual([0, 0, 0]);
    await living.close();
    await Promise.all(others.map((spool) => spool.lookAfter()));
    expect(others.map(({ waiting }) => waiting).toSorted()).toEqual([0, 0, 3]);
    await Promise.all(others.map((spool) => spool.close()));
  });
});

describe('a span that MLflow will never take', () => {
  it('stands in refused.jsonl with the reason, and holds up no other', async () => {
    const spool = await SpoolUnderTest.start();
    spool.receiver.refuses = ({ name }) => name.startsWith('wrong');
    const { tracer, ...telemetry } = await spool.telemetry();
    for (const name of ['one', 'wrong 1', 'two', 'three', 'wrong 2', 'four']) tracer.startSpan(name).end();
    await telemetry.flush();
    expect(telemetry.counts()).toEqual({ ...noSpans, exportedSpans: 4, refusedSpans: 2 });
    expect(spool.arrived()).toEqual(['one', 'two', 'three', 'four']);
    const lines = readFileSync(join(spool.folder, 'refused.jsonl'), 'utf8').trim().split('\n');
    const refused = z.object({
      refused: z.object({ status: z.int(), reason: z.string(), at: z.iso.datetime() }),
    });
    expect(lines.map((line) => refused.parse(JSON.parse(line)).refused)).toMatchObject([
      { status: 422, reason: '{"detail":"Cannot convert a span"}' },
      { status: 422 },
    ]);
    const kept = lines.flatMap((line) => readLine(line, new SpanDecoder())?.spans ?? []);
    expect(kept.map(({ name }) => name)).toEqual(['wrong 1', 'wrong 2']);
    expect(spool.logged.filter(({ msg }) => msg.includes('refuses a span'))).toHaveLength(1);
  });
});

describe('where spans cannot be kept', () => {
  it('for lack of room, the newest are lost, counted, and told once', async () => {
    const spool = await SpoolUnderTest.start();
    spool.receiver.answer = away;
    const { tracer, ...telemetry } = await spool.telemetry({
      disk: diskOf(spool.folder, 2_000),
    });
    for (let index = 0; index < 20; index += 1) {
      tracer.startSpan(`span ${index}`).end();
      await nextTurn();
    }
    const { waitingSpans, lostSpans } = telemetry.counts();
    expect(waitingSpans + lostSpans).toBe(20);
    expect(lostSpans).toBeGreaterThan(5);
    expect(spool.text().length).toBeLessThan(3_000);
    expect(spool.logged.filter(({ msg }) => msg.includes('FLEETBOT_SPANS_MAX_MIB'))).toHaveLength(1);
    spool.receiver.answer = here;
    await telemetry.flush();
    expect(spool.arrived()).toEqual(Array.from({ length: waitingSpans }, (_, index) => `span ${index}`));
    tracer.startSpan('later').end();
    await telemetry.flush();
    expect(telemetry.counts()).toEqual({ ...noSpans, exportedSpans: waitingSpans + 1, lostSpans });
  });

  it('is not said of a folder in which others keep much', async () => {
    const { folder } = await SpoolUnderTest.start();
    writeFileSync(join(folder, 'ledger.jsonl'), 'x'.repeat(20_000));
    const disk = diskOf(folder, 10_000);
    const spool = new Spool({ disk, clock: Date.now, log: pino({ level: 'silent' }) });
    await spool.open();
    await spool.lookAfter();
    spool.append({ ended: fc.sample(anySpan, 1), begun: [], open: [] });
    expect([spool.waiting, spool.lost]).toEqual([1, 0]);
    await spool.close();
  });

  it('on disk, they wait in memory, and move to the disk once that is possible', async () => {
    const spool = await SpoolUnderTest.start();
    spool.receiver.answer = away;
    const folder = join(spool.folder, 'spans');
    writeFileSync(folder, 'in the way');
    const { tracer, ...telemetry } = await spool.telemetry({ disk: diskOf(folder) });
    tracer.startSpan('in memory').end();
    await telemetry.flush();
    expect(telemetry.counts()).toMatchObject({ waitingSpans: 1 });
    expect(spool.logged.map(({ msg }) => msg)).toContainEqual(
      expect.stringContaining('FLEETBOT_SPANS_FOLDER'),
    );
    rmSync(folder);
    await vi.waitFor(() => expect(existsSync(folder)).toBe(true), patience);
    // MLflow is still away: its answer to the first one is waited for all the time.
    await vi.waitFor(async () => {
      tracer.startSpan('on disk').end();
      await nextTurn();
      expect(spool.textIn(folder)).toContain('in memory');
    }, patience);
    tracer.startSpan('on disk, too').end();
    await nextTurn();
    const text = spool.textIn(folder);
    for (const name of ['in memory', 'on disk, too']) expect(text.split(`"${name}"`)).toHaveLength(2);
    spool.receiver.answer = here;
    await telemetry.flush();
    expect(new Set(spool.arrived())).toEqual(new Set(['in memory', 'on disk', 'on disk, too']));
    expect(telemetry.counts()).toMatchObject({ waitingSpans: 0, lostSpans: 0 });
  });

  it('for what another process left, they are kept again as soon as MLflow has that', async () => {
    const spool = await SpoolUnderTest.start();
    const killed = await spool.telemetry();
    spool.receiver.answer = away;
    killed.tracer.startSpan('left', { attributes: { text: 'x'.repeat(3_000) } }).end();
    await nextTurn();
    await killed.shutdown();
    let now = Date.now();
    const { tracer, ...telemetry } = await spool.telemetry({
      ...{ disk: diskOf(spool.folder, 3_000), clock: () => now },
      timings: { batchDelayMs: 10, retryMinMs: 20, retryMaxMs: 50, adoptIntervalMs: 3_600_000 },
    });
    await vi.waitFor(() => expect(telemetry.counts().waitingSpans).toBe(1), patience);
    await vi.waitFor(async () => {
      tracer.startSpan('too many').end();
      await nextTurn();
      expect(telemetry.counts().lostSpans).toBeGreaterThan(0);
    }, patience);
    spool.receiver.answer = here;
    await vi.waitFor(() => expect(spool.arrived()).toContain('left'), patience);
    await vi.waitFor(async () => {
      now += 1_000;
      tracer.startSpan('later').end();
      await telemetry.flush();
      expect(spool.arrived()).toContain('later');
    }, patience);
  });

  it('without a folder, a shutdown says how many are lost', async () => {
    const spool = await SpoolUnderTest.start();
    spool.receiver.answer = away;
    const { tracer, ...telemetry } = await spool.telemetry({ disk: undefined });
    tracer.startSpan('one').end();
    await telemetry.shutdown();
    expect(telemetry.counts()).toEqual({ ...noSpans, lostSpans: 1, oldestWaitingMs: expect.any(Number) });
    expect(spool.logged.at(-1)).toMatchObject({ lostSpans: 1, msg: expect.stringContaining('lost') });
  });
});
