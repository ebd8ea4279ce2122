import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { redact } from '../../src/telemetry/redact.ts';
import { brokerFolder, hasPython } from '../support/edge-broker.ts';
import { begin, end, harmless, keyBody, secrets } from '../telemetry/redact-cases.ts';

const resultsSchema = z.array(z.object({ text: z.string(), ms: z.number() }));

/** What the broker makes of texts, and the CPU time that each took. */
function redactInPython(texts: readonly string[]): z.infer<typeof resultsSchema> {
  const program = `
import json, sys, time
sys.path.insert(0, sys.argv[1])
from redaction.redact import redact
results = []
for text in json.load(sys.stdin):
    start = time.process_time()
    results.append({"text": redact(text), "ms": (time.process_time() - start) * 1000})
json.dump(results, sys.stdout)`;
  const { stdout, stderr } = spawnSync('python3', ['-I', '-S', '-c', program, brokerFolder], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    maxBuffer: 64_000_000,
  });
  expect(stderr).toBe('');
  return resultsSchema.parse(JSON.parse(stdout));
}

describe.runIf(hasPython)("the broker's redactor", () => {
  const texts = [...secrets.map(([, text]) => text), ...harmless.map(([, text]) => text)];

  it('leaves the same of every known case as the one in TypeScript', () => {
    expect(redactInPython(texts).map(({ text }) => text)).toEqual(texts.map(redact));
  });

  it('leaves the same of whatever secrets stand in', () => {
    const piece = fc.constantFrom(
      ...' \n"\'\\=:-/@.,;{}[]<>&$aZ09é🙂\r\u2028\u00a0\u001c',
      ...['token', 'pass', 'password', 'secret', 'key', 'name:', 'value:', '--', 'basic ', 'bearer ', '\\n'],
    );
    const noise = fc.string({ unit: piece, maxLength: 24 });
    const mixed = fc.array(fc.oneof(noise, fc.constantFrom(...texts)), { minLength: 1, maxLength: 5 });
    const samples = fc.sample(mixed, 1_000).map((pieces) => pieces.join(''));
    expect(redactInPython(samples).map(({ text }) => text)).toEqual(samples.map(redact));
  });

  it('takes time linear in the text', () => {
    const units = [
      ...['a', ' ', '\n', '\\', '/', ':', 'password', 'password="', 'password="\\"', '--password ', begin],
      ...[`${end}\n`, `${keyBody}\n`, '://a:b@', 'eyJaaaaaaaaa.', 'sk-', 'curl -u ', 'machine a password '],
      ...['a:1234:b:c:', 'basic ', 'auth=AbcDef0123456789', 'token_', 'name: a_key\n', '-token'],
    ];
    const sized = (length: number) => units.map((unit) => unit.repeat(Math.ceil(length / unit.length)));
    const short = redactInPython(sized(4_000));
    const long = redactInPython(sized(32_000));
    // Quadratic time would be 64 times as long; below a few milliseconds a clock says nothing.
    const growths = long.map(({ ms }, n) => [units[n], ms / Math.max(short[n]?.ms ?? 0, 2)] as const);
    expect(growths.filter(([, growth]) => growth > 24)).toEqual([]);
  });
});
