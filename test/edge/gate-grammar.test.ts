import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseVerb } from '../../src/sandbox/machine/parse-verb.ts';
import { EdgeGate, gateFolder, python, skipsPython } from '../support/edge-gate.ts';

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
/** The gate takes no longer line; parse-verb leaves the length of an `unlock` open. */
const lineBytesMax = 1024;

const words = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('status', 'start', 'connect', 'stop', 'evidence', 'act', 'result'),
  },
  { weight: 2, arbitrary: fc.constantFrom('lock', 'unlock', '7', '42', 'disk', 'r-0123456789', traceparent) },
  fc.constantFrom(
    '0',
    '007',
    '-1',
    '+1',
    '1e3',
    '1_0',
    '٣',
    '７',
    '²',
    '999999999999999',
    '9999999999999999',
  ),
  fc.constantFrom(
    'r-UPPER00000',
    'r-12345',
    'Disk',
    '../etc',
    '.a',
    'a-',
    'a-00000000aaaa',
    'a-00000000AAAA',
    'é',
    'ﬁ',
    '$(id)',
    ';',
    '--help',
    '',
  ),
  fc.constantFrom(`00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`, traceparent.toUpperCase(), 'x'.repeat(201)),
  fc.constantFrom(
    'a\u0007b',
    '\u202e',
    '\u00ad',
    '\u200b',
    '\u3000',
    '\ue000',
    '\ufeff',
    '🚧',
    'e\u0301',
    'x\u0000',
  ),
);
const separators = fc.constantFrom(...Array(12).fill(' '), '  ', '\t', '\n', '\u00a0', '\u2028', '\r');
const lines = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.tuple(fc.constantFrom('lock ', 'unlock '), fc.string({ unit: 'binary' })).map((parts) => parts.join('')),
  fc
    .array(fc.tuple(words, separators), { minLength: 1, maxLength: 5 })
    .chain((parts) => fc.constantFrom('', ' ', '\n', '').map((end) => [parts, end] as const))
    .map(([parts, end]) => parts.flat().slice(0, -1).join('') + end),
);

describe.skipIf(skipsPython)("the installed gate's grammar", () => {
  let parser: Parser;
  beforeAll(() => {
    parser = startParser();
  });
  afterAll(() => parser.close());

  it("takes the same lines, and understands the same by them, as the sandbox's", async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(lines, async (line) => {
        // Which characters there are depends on the version of Unicode; see below.
        fc.pre(!/\p{Cn}/u.test(line) && Buffer.byteLength(line) <= lineBytesMax);
        const verb = parseVerb(line);
        if (verb !== undefined) taken += 1;
        expect(await parser.parse(Buffer.from(line))).toEqual(verb ?? null);
      }),
      { numRuns: 2_500 },
    );
    expect(taken).toBeGreaterThan(50);
  });

  it.each([
    'status',
    `start 7 r-0123456789 ${traceparent}`,
    'connect 7',
    'stop 999999999999999',
    'evidence 7 disk',
    'act 7',
    'result a-00000000aaaa',
    'lock back at 12:00 – Ümit',
    `lock ${'🚧'.repeat(200)}`,
    'unlock',
    'unlock back at 12:00 – Ümit',
  ])('reads %s', async (line) => {
    const verb = parseVerb(line);
    expect(verb).toBeDefined();
    expect(await parser.parse(Buffer.from(line))).toEqual(verb);
  });

  it('takes bytes only where they are UTF-8', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 8 }), async (bytes) => {
        const line = Buffer.concat([Buffer.from('lock '), bytes]);
        fc.pre(!/\p{Cn}/u.test(line.toString()));
        expect(await parser.parse(line)).toEqual(parseVerb(decode(line) ?? '') ?? null);
      }),
      { numRuns: 500 },
    );
  });

  it('lets a character into a reason that its Unicode does not know yet, but none that never will be', async () => {
    expect(await parser.parse(Buffer.from('lock \u{1fbff}'))).toEqual({ verb: 'lock', reason: '\u{1fbff}' });
    expect(await parser.parse(Buffer.from('lock \uffff'))).toBeNull();
    expect(await parser.parse(Buffer.from('lock \ufdd0'))).toBeNull();
  });

  it('takes no line that is longer than any of its own', async () => {
    const longest = `unlock ${'x'.repeat(lineBytesMax - 'unlock '.length)}`;
    expect(await parser.parse(Buffer.from(longest))).toMatchObject({ verb: 'unlock' });
    expect(await parser.parse(Buffer.from(`${longest}x`))).toBeNull();
  });
});

describe.skipIf(skipsPython)('a line outside the grammar', () => {
  it('does nothing at all, whatever it is', async () => {
    await using edge = await EdgeGate.start();
    // No program gets a NUL in its environment: sshd refuses such a command itself.
    const outside = lines.filter((line) => parseVerb(line) === undefined && !/\p{Cn}|\0/u.test(line));
    for (const line of fc.sample(outside, 20)) {
      expect(await edge.refusal(line), JSON.stringify(line)).toMatchObject({ code: 'verb-refused' });
    }
    expect(edge.broker.requests).toEqual([]);
    expect(await readdir(join(edge.folder, 'gate'))).toEqual([]);
  });

  it('does nothing when there is none, or when it is not text', async () => {
    await using edge = await EdgeGate.start();
    const without = ['env', '-u', 'SSH_ORIGINAL_COMMAND', ...edge.command];
    const bytes = `SSH_ORIGINAL_COMMAND=$(printf 'lock \\377') exec "$@"`;
    for (const command of [without, ['sh', '-c', bytes, 'sh', ...edge.command]]) {
      const { exitCode, stdout, stderr } = await edge.run('status', '', command);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(JSON.parse(stderr)).toMatchObject({ code: 'verb-refused' });
    }
    expect(edge.broker.requests).toEqual([]);
  });
});

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

interface Parser {
  parse(line: Uint8Array): Promise<unknown>;
  close(): Promise<void>;
}

/** The gate's own parser in one process: hexadecimal lines in, JSON out. */
function startParser(): Parser {
  const program = [
    'import json, sys',
    `sys.path.insert(0, ${JSON.stringify(gateFolder)})`,
    'from grammar import parse_verb',
    'for line in sys.stdin:',
    '  verb = parse_verb(bytes.fromhex(line))',
    '  print(json.dumps(verb and {"verb": verb[0], **verb[1]}), flush=True)',
  ].join('\n');
  const child = spawn(python ?? 'python3', ['-I', '-S', '-c', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async parse(line: Uint8Array): Promise<unknown> {
      child.stdin.write(`${Buffer.from(line).toString('hex')}\n`);
      const answer = await answers.next();
      if (answer.done) throw new Error('the parser has ended');
      return JSON.parse(answer.value, (name, value) =>
        name === 'reason' && value === null ? undefined : value,
      );
    },
    async close() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}
