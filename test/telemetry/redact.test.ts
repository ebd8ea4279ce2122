import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redact } from '../../src/telemetry/redact.ts';
import {
  begin,
  end,
  github,
  githubFine,
  harmless,
  keyBody,
  password,
  random,
  secrets,
  slack,
  slackApp,
} from './redact-cases.ts';

/** Up to `tries` results, until one is good. */
function* lazily<T>(produce: () => T, tries: number, good: (result: T) => boolean): Generator<T> {
  for (let n = 0; n < tries; n += 1) {
    const result = produce();
    yield result;
    if (good(result)) return;
  }
}

describe('redact', () => {
  it.each(secrets)('hides %s', (_, text, secret) => {
    const result = redact(text);
    expect(result).not.toContain(secret);
    expect(result).toMatch(/\[redacted:[a-z-]+\]/);
    expect(redact(result)).toBe(result);
  });

  it.each(harmless)('leaves %s as it is', (_, text) => {
    expect(redact(text)).toBe(text);
  });

  it('keeps what stands around a secret', () => {
    expect(redact(`user=bob password=${password} db=x`)).toBe('user=bob password=[redacted:password] db=x');
    expect(redact(`postgres://bob:${password}@db:5432/app`)).toBe(
      'postgres://[redacted:url-credentials]@db:5432/app',
    );
    expect(redact(`a\n${begin}\n${keyBody}\n${end}\nb`)).toBe('a\n[redacted:private-key]\nb');
    expect(redact(`{"token":"${password}","n":1}`)).toBe('{"token":"[redacted:token]","n":1}');
    expect(redact(`curl -H 'Authorization: Bearer ${random}' https://x`)).toBe(
      "curl -H 'Authorization: [redacted:authorization]' https://x",
    );
    expect(redact(`The key is bad.\n${keyBody}\n${end}\nok`)).toBe(
      'The key is bad.\n[redacted:private-key]\nok',
    );
  });

  const noise = fc.string({
    unit: fc.constantFrom(...' \n"\'\\=:-/@.,;{}[]<>&aZ09', 'token', 'pass', 'é', '🙂'),
  });

  it('hides a known token in whatever surroundings', () => {
    const token = fc.constantFrom(slack, slackApp, github, githubFine);
    fc.assert(
      fc.property(noise, token, noise, (before, secret, after) => {
        expect(redact(`${before} ${secret} ${after}`)).not.toContain(secret);
      }),
    );
  });

  it('hides a password of any characters in a JSON string', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), fc.nat({ max: 2 }), (secret, depth) => {
        const marked = `Zq${secret.replaceAll('"', '\\')}Qz`;
        let text = JSON.stringify({ user: 'bob', password: marked, last: 1 });
        for (let level = 0; level < depth; level += 1) text = JSON.stringify({ body: text });
        expect(redact(text)).not.toContain('Qz');
      }),
    );
  });

  it('changes nothing more when it is applied again', () => {
    const piece = fc.oneof(noise, fc.constantFrom(...secrets.map(([, text]) => text)));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const once = redact(pieces.join(''));
        expect(redact(once)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    'a',
    ' ',
    '\n',
    '"',
    '\\',
    '=',
    '-',
    ':',
    '/',
    '@',
    'password',
    'password=',
    'password="',
    'password="\\"',
    '--password ',
    '-----',
    begin,
    `${begin}\n`,
    end,
    'MIIE\n',
    '://',
    '://a:b',
    '://a:b@',
    'eyJ',
    'eyJaaaaaaaaa.',
    'sk-',
    'curl -u ',
    'mysql ',
    'machine a password ',
    'a:1234:b:c:',
    'bearer ',
    'basic ',
    'authorization: ',
    'key ',
    'auth=AbcDef0123456789',
    'token_',
    'b3BlbnNzaC1rZXktdjE',
    'Xa0/',
  ])('takes time linear in the text: %j', (unit) => {
    const timeMs = (length: number) => {
      const text = unit.repeat(Math.ceil(length / unit.length));
      const start = process.cpuUsage();
      redact(text);
      return Math.max(process.cpuUsage(start).user / 1_000, 1);
    };
    const growth = () => timeMs(1_000_000) / timeMs(250_000);
    // Quadratic time would be sixteen times as long, always; what else this computer does shows once.
    expect(Math.min(...lazily(growth, 3, (ratio) => ratio < 11))).toBeLessThan(11);
  });

  it('cuts what is longer than it can search', () => {
    const result = redact(`bearer 1${'x'.repeat(4_000_100)} ${slack}`);
    expect(result).not.toContain(slack);
    expect(result).toContain('[redacted:too-long]');
  });
});
