import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const heading = 'What users of other bots suffer from';
const pains = 15;

/** The rows of the table under the heading: | # | pain | how | test file · title |. Several tests stand in lines of their own. */
function rows(): { number: string; tests: string[] }[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const section = readme.split(/^#+ /m).find((text) => text.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| (\d+) +\|.*\| (.+?) +\|$/gm)].map(([, number = '', last = '']) => ({
    number,
    tests: last.split(/<br ?\/?>/).map((test) => test.replaceAll('`', '').replaceAll('\\|', '|').trim()),
  }));
}

describe(`README, "${heading}"`, () => {
  it('names every pain once', () => {
    const numbers = Array.from({ length: pains }, (_, index) => String(index + 1));
    expect(rows().map(({ number }) => number)).toEqual(numbers);
  });

  it('names only tests that exist', () => {
    const missing = rows()
      .flatMap(({ tests }) => tests)
      .filter((test) => {
        const [file = '', title = ''] = test.split(' · ');
        if (!/\.test\.ts$|^test\/conformance\/.*\.ts$/.test(file) || title === '') return true;
        const path = join(root, file);
        // As it stands in the file, where a quote in it may be escaped.
        return !existsSync(path) || !readFileSync(path, 'utf8').replaceAll('\\', '').includes(title);
      });
    expect(missing).toEqual([]);
  });
});
