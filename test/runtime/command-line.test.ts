import { describe, expect, it, test } from 'vitest';
import { InputError } from '../../src/fleet/errors.ts';
import { readCommandLine } from '../../src/runtime/command-line.ts';

const read = (line: string) => readCommandLine(line.split(' '));

test('help is given wherever it is asked for', () => {
  for (const args of [['help'], ['-h'], ['start', '--help'], ['validate', 'fleet.yaml', '-h']]) {
    expect(readCommandLine(args)).toEqual({ command: 'help' });
  }
});

test('validate takes several files', () => {
  expect(readCommandLine(['validate', 'a', 'b'])).toEqual({ command: 'validate', files: ['a', 'b'] });
});

describe('halt and resume', () => {
  it('take the machines, a reason in any number of words, and options anywhere', () => {
    const halt = { command: 'halt', selector: 'env=prod', json: false, yes: false };
    expect(read('halt --direct env=prod the bot is mad')).toEqual({ ...halt, reason: 'the bot is mad' });
    expect(read('halt env=prod --yes --json mad --direct --fleet f.yaml')).toEqual({
      ...{ ...halt, reason: 'mad', yes: true, json: true, fleetFile: 'f.yaml' },
    });
    expect(read('halt --direct -- env=prod -9 degrees')).toEqual({ ...halt, reason: '-9 degrees' });
    expect(read('resume --direct all --force')).toEqual({
      ...{ command: 'resume', selector: 'all', json: false, force: true },
    });
  });

  it('are sent to Slack without --direct', () => {
    expect(() => read('halt all mad')).toThrow('/fleet halt in Slack; or, where');
    expect(() => read('resume all')).toThrow('fleetbot resume --direct');
  });
});

test('edge policy takes one machine, and another fleet file', () => {
  expect(read('edge policy rhel-01')).toEqual({ command: 'edge policy', machine: 'rhel-01' });
  expect(read('edge policy --fleet f.yaml rhel-01')).toEqual({
    ...{ command: 'edge policy', machine: 'rhel-01', fleetFile: 'f.yaml' },
  });
});

test('collector prices takes no word, and another fleet file', () => {
  expect(read('collector prices')).toEqual({ command: 'collector prices' });
  expect(read('collector prices --fleet f.yaml')).toEqual({
    command: 'collector prices',
    fleetFile: 'f.yaml',
  });
  expect(() => read('collector prices rhel-01')).toThrow('takes no words, but there is "rhel-01"');
  expect(() => read('collector price')).toThrow('Did you mean prices?');
});

test('traces replay takes files and folders, and from when on', () => {
  const line = { command: 'traces replay', paths: ['a.jsonl', 'b'], dryRun: false };
  expect(read('traces replay a.jsonl b')).toEqual(line);
  expect(read('traces replay --dry-run a.jsonl b --since 2026-11-01T10:30')).toEqual({
    ...{ ...line, dryRun: true, since: Date.UTC(2026, 10, 1, 10, 30) },
  });
  expect(() => read('traces replay --dry-run')).toThrow('needs files or folders');
  expect(() => read('traces replay a --since soon')).toThrow('"soon" is no time');
});

test('mlflow init takes the name of an experiment, or none', () => {
  expect(read('mlflow init')).toEqual({ command: 'mlflow init', experiment: 'fleetbot' });
  expect(read('mlflow init --experiment fleet')).toEqual({ command: 'mlflow init', experiment: 'fleet' });
  expect(() => read('mlflow init fleet')).toThrow('name the experiment with --experiment');
  expect(() => read('mlflow')).toThrow('needs to be told what to do: init');
});

describe('ledger', () => {
  it('verifies files against a key, and a checkpoint that was kept', () => {
    const line = { command: 'ledger verify', files: ['a', 'a.1'], keyFile: 'k.pub', partial: false };
    expect(read('ledger verify --key k.pub a a.1')).toEqual(line);
    expect(read('ledger verify a a.1 --partial --checkpoint=c --key=k.pub')).toEqual({
      ...{ ...line, partial: true, checkpoint: 'c' },
    });
  });

  it('searches files for machines, a person and a time', () => {
    const line = { command: 'ledger search', files: ['a', 'a.1'], format: 'json' };
    expect(read('ledger search a a.1')).toEqual(line);
    expect(read('ledger search --machine web-* --person U1 --since 7d --until today --csv a a.1')).toEqual({
      ...{ ...line, machines: 'web-*', person: 'U1', since: '7d', until: 'today', format: 'csv' },
    });
  });

  it('makes a key', () => {
    expect(read('ledger key new.pem')).toEqual({ command: 'ledger key', file: 'new.pem' });
  });
});

test.each(['decision key', 'capsule key'] as const)('%s makes one', (command) => {
  expect(read(`${command} new.pem`)).toEqual({ command, file: 'new.pem' });
});

test.each([
  ['decision', 'needs to be told what to do: key'],
  ['capsule verify a', 'fleetbot capsule does not know "verify"'],
  ['capsule key', 'capsule key needs the path of one new file'],
  ['decision key a b', 'decision key needs the path of one new file'],
  ['strat', 'does not know "strat". Did you mean start?'],
  ['hlat', 'does not know "hlat". Did you mean halt?'],
  ['elephant', 'does not know "elephant".'],
  ['start a b', 'start takes nothing after it, but there is "a b"'],
  ['--version a', '--version takes nothing after it'],
  ['validate', 'needs the path of a fleet file'],
  ['validate --strict a', 'has no option --strict'],
  ['halt --direct', 'needs to be told which machines'],
  ['halt --direct all', 'needs a reason'],
  ['halt --direct --force all mad', 'fleetbot halt has no option --force'],
  ['halt --direct --yes=no all mad', '--yes takes no value'],
  ['halt --direct all mad --fleet', '--fleet needs a value'],
  ['halt --__proto__ all mad', 'has no option --__proto__'],
  ['resume --direct all web-01', 'there is also "web-01"'],
  ['edge', 'told what to do: policy'],
  ['edge polcy', 'does not know "polcy". Did you mean policy?'],
  ['edge policy', 'needs the name of one machine'],
  ['edge policy a b', 'needs the name of one machine'],
  ['edge policy --json a', 'has no option --json'],
  ['ledger', 'told what to do: verify or search or key'],
  ['ledger verfiy', 'does not know "verfiy". Did you mean verify?'],
  ['ledger verify a', 'needs --key'],
  ['ledger verify --key k', 'needs the files'],
  ['ledger search --csv', 'needs the files of exported ledgers'],
  ['ledger search a --csv --json', '--json or --csv, not both'],
  ['ledger key', 'path of one new file'],
  ['ledger key a b', 'path of one new file'],
])('%s is refused, and it is said why', (line, why) => {
  expect(() => read(line)).toThrow(InputError);
  expect(() => read(line)).toThrow(why);
});

test('nothing at all is refused too', () => {
  expect(() => readCommandLine([])).toThrow('needs to be told what to do');
});
