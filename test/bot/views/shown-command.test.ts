import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandLines, shownCommand, shownWord } from '../../../src/bot/views/shown-command.ts';
import { anyText } from '../../support/any-text.ts';

describe('a command that people read before they approve it', () => {
  it.each([
    ['journalctl', 'journalctl'],
    ['--vacuum-size=200M', '--vacuum-size=200M'],
    ['', '""'],
    ['a b', '"a␣b"'],
    [' ', '"␣"'],
    ['a\tb\n', '"a\\u{9}b\\u{a}"'],
    ['\u202egnp.exe', '"\\u{202e}gnp.exe"'],
    ['раypal', '"\\u{440}\\u{430}ypal"'],
    ['say "hi"', '"say␣\\"hi\\""'],
    ['C:\\', '"C:\\\\"'],
    ['`reboot`', '"\\u{60}reboot\\u{60}"'],
    ['␣', '"\\u{2423}"'],
    ['$(x);*', '"$(x);*"'],
    ['\ud83d', '"\\u{d83d}"'],
    ['@here', '"\\u{40}here"'],
    ['getty@tty1.service', 'getty@tty1.service'],
  ])('shows %j as %s', (word, shown) => {
    expect(shownWord(word)).toBe(shown);
  });

  it('never looks like another command', () => {
    const words = fc.array(
      fc.oneof(anyText({ maxLength: 6 }), fc.constantFrom('a', 'a b', '"', '\\u{9}', '␣')),
      {
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(words, words, (one, other) => {
        const alike = shownCommand(one, 1_000) === shownCommand(other, 1_000);
        expect(alike).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  it('holds nothing that is invisible, foreign or formats anything', () => {
    fc.assert(
      fc.property(anyText({ maxLength: 40 }), (text) => {
        expect(shownWord(text)).toMatch(/^[!-_a-~␣]*$/);
      }),
    );
  });

  it('is shown whole in lines of whole words, or not at all', () => {
    const argv = Array.from({ length: 60 }, (_, index) => `${index}`.padEnd(200, '<'));
    const lines = commandLines(argv) ?? [];
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(3_000);
    const shown = lines.map((line) => line.slice(1, -1).replaceAll('&lt;', '<')).join(' ');
    expect(shown).toBe(shownCommand(argv, 100_000));
    expect(commandLines(['x'.repeat(3_000)])).toBeUndefined();
  });
});
