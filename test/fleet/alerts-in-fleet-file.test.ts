import { describe, expect, it } from 'vitest';
import { FleetFileError } from '../../src/fleet/errors.ts';
import { fleetOfOne } from './fixtures.ts';

/** The problems of a fleet file with this section, as `LINE: PATH: PROBLEM. CURE`. */
function problemsOf(section: string): readonly string[] {
  try {
    fleetOfOne('', `alerts:\n${section}`);
  } catch (error) {
    if (!(error instanceof FleetFileError)) throw error;
    return error.problems.map(({ line, path, problem, cure }) => `${line}: ${path}: ${problem}. ${cure}`);
  }
  return [];
}

describe('the section alerts of a fleet file', () => {
  it('may be left out: no channel is read, and nothing leads to a check', () => {
    expect(fleetOfOne().alerts).toMatchObject({ channels: [], rules: [], groupBy: ['alertname'] });
  });

  it('names checks that exist', () => {
    expect(
      problemsOf('  rules:\n    - { match: { alertname: A }, check: dsk }\n  otherwise: nothing\n'),
    ).toEqual([
      '9: alerts.rules[0].check: there is no check "dsk". Did you mean "disk"?',
      expect.stringMatching(/^10: alerts\.otherwise: there is no check "nothing"\. There are: disk, memory/),
    ]);
  });

  it('names machines and labels that exist, in selectors that can be read', () => {
    const rule = (machines: string) =>
      problemsOf(`  rules:\n    - { machines: "${machines}", text: "*", check: disk }\n`);
    expect(rule('rhel-1')).toEqual([
      '9: alerts.rules[0].machines: names the machine "rhel-1", which is not in this file. Did you mean "rhel-01"?',
    ]);
    expect(rule('env=prod')).toEqual([
      expect.stringContaining('names the label "env", which no machine has'),
    ]);
    expect(rule('a b')).toEqual([
      expect.stringContaining('alerts.rules[0].machines: "a b" is not a selector'),
    ]);
    expect(rule('rhel-*')).toEqual([]);
  });

  it('has no rule that hides those below it', () => {
    expect(problemsOf('  rules:\n    - { check: disk }\n    - { text: "*mem*", check: memory }\n')).toEqual([
      expect.stringMatching(/^9: alerts\.rules\[0\]: fits every alert, so the rules below it never count\./),
    ]);
    for (const first of ['text: "*mem*"', 'match: { a: b }', 'machines: "rhel-*"']) {
      expect(problemsOf(`  rules:\n    - { ${first}, check: memory }\n    - { check: disk }\n`)).toEqual([]);
    }
  });

  it('names each channel once', () => {
    const entry = '    - { channel: C0ALERTS, apps: [A1B] }\n';
    expect(problemsOf(`  channels:\n${entry}`)).toEqual([]);
    expect(problemsOf(`  channels:\n${entry}${entry}`)).toEqual([
      '10: alerts.channels[1].channel: "C0ALERTS" stands on line 9 already. Write all apps of a channel in one entry',
    ]);
  });
});
