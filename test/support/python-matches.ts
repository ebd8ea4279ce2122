import { execFileSync } from 'node:child_process';
import { z } from 'zod';

/** A regular expression and a text to hold it against. */
export type Pairing = readonly [pattern: string, text: string];

const program = `
import json, re, sys, time, warnings
warnings.simplefilter('error')
pairs = json.load(sys.stdin)
began = time.process_time()
matches = [re.fullmatch(pattern, text, re.ASCII) is not None for pattern, text in pairs]
print(json.dumps({'matches': matches, 'cpuMs': (time.process_time() - began) * 1000}))
`;

const answerSchema = z.object({ matches: z.array(z.boolean()), cpuMs: z.number() });

/** Whether each text matches as a whole, as the machine's broker sees it; and the time that it took. A warning throws. */
export function pythonMatches(pairs: readonly Pairing[]): z.infer<typeof answerSchema> {
  const input = JSON.stringify(pairs);
  const options = { input, encoding: 'utf8', maxBuffer: 100_000_000 } as const;
  return answerSchema.parse(JSON.parse(execFileSync('python3', ['-c', program], options)));
}
