import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseVerb } from '../../../src/sandbox/machine/parse-verb.ts';

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

/** The grammar written a second time, as one regular expression, to compare with. */
const fence = '[1-9][0-9]{0,14}';
const name = '[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?';
const exactGrammar = new RegExp(
  `^(?:status|unlock(?: [^\\p{C}\\p{Z}]+)*|(?:connect|stop|act) ${fence}|evidence ${fence} ${name}|result a-[0-9a-z]{12}` +
    `|start ${fence} r-[0-9a-z]{10,32} 00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}` +
    '|lock (?=.{1,200}$)[^\\p{C}\\p{Z}]+(?: [^\\p{C}\\p{Z}]+)*)$',
  'u',
);

const words = fc.constantFrom(
  'status',
  'start',
  'connect',
  'stop',
  'evidence',
  'act',
  'result',
  'lock',
  'unlock',
  '0',
  '1',
  '007',
  '-1',
  '1e3',
  '42',
  '999999999999999',
  '9999999999999999',
  'r-0123456789',
  'r-UPPER00000',
  'a-00000000aaaa',
  'a-00000000AAAA',
  'disk',
  'Disk',
  '../etc',
  '$(id)',
  ';',
  '&&',
  'id',
  '--help',
  traceparent,
  `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
  'a\u0000b',
  'zeile\n',
  'é',
  '\u202e',
  'x'.repeat(201),
);
const separators = fc.constantFrom(' ', ' ', ' ', ' ', '  ', '\t', '\n', '\u00a0', '');

const lines = fc.oneof(
  fc.string(),
  fc
    .array(fc.tuple(words, separators), { maxLength: 6 })
    .map((parts) =>
      parts.map(([word, separator], i) => (i < parts.length - 1 ? word + separator : word)).join(''),
    ),
  fc
    .tuple(fc.constantFrom('', ' ', '\n'), words, words, words, words, fc.constantFrom('', ' ', '\n', '\r'))
    .map(([before, a, b, c, d, after]) => `${before}${a} ${b} ${c} ${d}${after}`),
);

describe("the gate's grammar", () => {
  it('takes exactly what it says, whatever is thrown at it', () => {
    fc.assert(
      fc.property(lines, (line) => {
        expect(parseVerb(line) !== undefined).toBe(exactGrammar.test(line));
      }),
      { numRuns: 5_000 },
    );
  });

  it('reads every verb', () => {
    expect(parseVerb('status')).toEqual({ verb: 'status' });
    expect(parseVerb(`start 7 r-0123456789 ${traceparent}`)).toEqual({
      verb: 'start',
      fence: 7,
      run: 'r-0123456789',
      traceparent,
    });
    expect(parseVerb('connect 7')).toEqual({ verb: 'connect', fence: 7 });
    expect(parseVerb('stop 7')).toEqual({ verb: 'stop', fence: 7 });
    expect(parseVerb('evidence 7 disk')).toEqual({ verb: 'evidence', fence: 7, check: 'disk' });
    expect(parseVerb('act 7')).toEqual({ verb: 'act', fence: 7 });
    expect(parseVerb('result a-00000000aaaa')).toEqual({ verb: 'result', id: 'a-00000000aaaa' });
    expect(parseVerb('lock back at 12:00 – Ümit')).toEqual({ verb: 'lock', reason: 'back at 12:00 – Ümit' });
    expect(parseVerb('unlock')).toEqual({ verb: 'unlock', reason: undefined });
  });

  it.each([
    ['a double space', 'stop  7'],
    ['a newline', 'status\n'],
    ['a second line', 'status\nid'],
    ['an extra word', 'status now'],
    ['a missing word', 'evidence 7'],
    ['a leading zero', 'stop 07'],
    ['fence 0', 'stop 0'],
    ['a fence that no number holds exactly', 'stop 9007199254740993'],
    ['an unknown verb', 'shell'],
    ['a verb in capitals', 'STATUS'],
    ['a shell command', 'status; id'],
    ['a substitution', 'evidence 7 $(id)'],
    ['a path as check', 'evidence 7 ../disk'],
    ['a trace id of zeros', `start 7 r-0123456789 00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`],
    ['a lock without a reason', 'lock'],
    ['a reason of 201 characters', `lock ${'x'.repeat(201)}`],
    ['a reason with a control character', 'lock a\u0007b'],
    ['nothing', ''],
  ])('refuses %s', (_what, line) => {
    expect(parseVerb(line)).toBeUndefined();
  });
});
