import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isProblem,
  maxRepeats,
  type PolicyWord,
  readCommandPattern,
} from '../../src/fleet/command-pattern.ts';
import { admits } from '../support/admits.ts';
import { anyText } from '../support/any-text.ts';

function words(pattern: string): readonly PolicyWord[] {
  const read = readCommandPattern(pattern);
  if (isProblem(read)) throw new Error(`${pattern}: ${read.problem}`);
  return read;
}

const everything = { readable: ['/*'], secret: [] };
const isListed = (pattern: string, line: string) => admits(words(pattern), line.split(' '), everything);

test.each([
  ['df', 'df', 'df -h'],
  ['systemctl status {unit*}', 'systemctl status', 'systemctl restart'],
  ['systemctl status {unit*}', 'systemctl status a.service b@1.service', 'systemctl status --all'],
  [
    'systemctl status {unit*}',
    `systemctl status ${'u '.repeat(maxRepeats).trim()}`,
    `systemctl status ${'u '.repeat(maxRepeats + 1).trim()}`,
  ],
  ['systemctl status {unit}', 'systemctl status dev-sda\\x2d1.device', 'systemctl status'],
  ['df {flags:hT*} {path?}', 'df -h -T /var', 'df -i'],
  ['df {flags:hT*} {path?}', 'df -hT', 'df -hTh'],
  ['df {flags:hT*} {path?}', 'df', 'df var'],
  ['df {path?}', 'df /var', 'df /var /tmp'],
  [
    'journalctl -u {unit} -n {number} --no-pager',
    'journalctl -u a -n 5 --no-pager',
    'journalctl -u a -n five --no-pager',
  ],
  ['journalctl --lines={number}', 'journalctl --lines=50', 'journalctl --lines=-50'],
  ['ip {link|addr} {-s?}', 'ip addr -s', 'ip link|addr'],
  ['ip {link|addr} {-s?}', 'ip link', 'ip route'],
  ['a {-n{number}|--all*}', 'a -n5 --all -n7', 'a -n'],
  ['find /var -size +{number}{k|M}', 'find /var -size +10M', 'find /var -size +10'],
  ['top -o %MEM', 'top -o %MEM', 'top -o xMEM'],
  ['ps {a.b|c+}', 'ps c+', 'ps axb'],
  ['rpm -q {name}', 'rpm -q libstdc++', 'rpm -q --file'],
  ['rpm -q {name}', 'rpm -q python3.11', 'rpm -q ./a.rpm'],
])('%s lists "%s" and not "%s"', (pattern, listed, other) => {
  expect(isListed(pattern, listed)).toBe(true);
  expect(isListed(pattern, other)).toBe(false);
});

test.each([
  ...[
    'now',
    'today',
    '@1700000000',
    '12:30',
    '2026-11-22',
    '2026-11-22 17:00:05',
    '1 hour ago',
    '90s ago',
  ].map((time) => [time, true] as const),
  ...['', '-1h', 'tomorrow evening', '1 hour ago; reboot', '2026-11-22\n', '../12:30'].map(
    (time) => [time, false] as const,
  ),
])('the time "%s" is taken: %s', (time, isTaken) => {
  expect(admits(words('journalctl --since {time}'), ['journalctl', '--since', time], everything)).toBe(
    isTaken,
  );
});

describe('a value', () => {
  const hostile = fc.oneof(
    anyText(),
    fc.constantFrom('-', '--', '/etc/shadow', '..', '--file=/etc/shadow', '@/etc/shadow', '=x'),
    fc.string({ unit: fc.constantFrom('-', '/', '.', 'a', '=', '\n', ' ', '\0', 'é') }),
  );

  test.each(['unit', 'path', 'number', 'time', 'name'])('of kind %s is never an option', (kind) => {
    fc.assert(fc.property(hostile, (value) => !admits(words(`a {${kind}}`), ['a', `-${value}`], everything)));
  });

  test.each(['unit', 'number', 'time', 'name', 'flags:abc'])('of kind %s names no file elsewhere', (kind) => {
    fc.assert(
      fc.property(hostile, hostile, (left, right) => {
        return !admits(words(`a {${kind}}`), ['a', `${left}/${right}`], everything);
      }),
    );
  });

  test.each(['unit', 'path', 'number', 'time', 'name', 'flags:abc'])('of kind %s is one line', (kind) => {
    fc.assert(
      fc.property(hostile, hostile, (left, right) => {
        return !admits(words(`a {${kind}}`), ['a', `${left}\n${right}`], everything);
      }),
    );
  });

  test('of flags is one "-" and letters that are listed', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const isTaken = admits(words('a {flags:xYz}'), ['a', value], everything);
        return isTaken === /^-[xYz]{1,3}$/.test(value);
      }),
    );
  });
});

test('a path is marked, so that the machine checks it', () => {
  expect(words('cat {path}')).toEqual([
    { match: '^cat$', min: 1, max: 1 },
    { match: '^/[^\\x00-\\x1f\\x7f]*$', min: 1, max: 1, path: true },
  ]);
});

test.each([
  ['', 'is empty', 'Write a command such as'],
  ['/bin/df', 'is no bare program name', 'Begin with the name alone'],
  ['{name} -h', 'is no bare program name', 'Begin with the name alone'],
  ['bash -c {name}', 'runs whatever its arguments say', 'List the command itself'],
  ['python3.12 {path}', 'runs whatever its arguments say', 'List the command itself'],
  ['rm -rf {path}', '"rm" changes the machine', 'actions, which people approve'],
  ['systemctl --no-block restart {unit}', '"systemctl restart" changes the machine', 'Remove it'],
  ['df | sort', '"|" cannot stand in a word', 'there is no shell'],
  ['df "-h"', '""" cannot stand in a word', 'there is no shell'],
  ['systemctl status *', '"*" cannot stand in a word', '{unit*}'],
  ['cat {pth}', 'there is no kind {pth}', 'Did you mean {path}?'],
  ['cat {}', 'there is no kind {}', 'There are: unit'],
  ['cat --file={path}', '{path} is only a part of a word', 'a word of its own'],
  ['cat {{path}|x}', '{path} is only a part of a word', 'a word of its own'],
  ['a -n{number?}', 'there is no kind {number?}', 'a word of its own'],
  ['a {flags:}', '{flags:} does not list letters', 'such as {flags:hT}'],
  ['a {flags:-x}', '{flags:-x} does not list letters', 'such as {flags:hT}'],
  ['a {b|}', 'a choice is empty', 'either side of "|"'],
  ['a {unit', '"{unit" does not close a brace', 'Write every {'],
  ['a unit}', '"unit}" closes a brace that it does not open', 'Write every {'],
  ['a {b |c}', '"{b" does not close a brace', 'no blank between'],
  ['a {b|naïve}', '"ï" cannot stand in a word', 'plain words'],
])('"%s" is refused, and it is said what to write', (pattern, problem, cure) => {
  const read = readCommandPattern(pattern);
  expect(read).toEqual({
    problem: expect.stringContaining(problem),
    cure: expect.stringContaining(cure),
  });
});
