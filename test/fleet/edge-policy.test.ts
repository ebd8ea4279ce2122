import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { actionSchema } from '../../src/fleet/action.ts';
import { edgePolicy, policyDigest } from '../../src/fleet/edge-policy.ts';
import { FleetFileError } from '../../src/fleet/errors.ts';
import { hostCommands } from '../../src/fleet/host-commands.ts';
import { readablePaths, secretPaths } from '../../src/fleet/readable-paths.ts';
import { machineWith } from './fixtures.ts';

const raid = 'summary: s, command: [mdadm, --detail, /dev/md0], mustMatch: clean';
const policyOf = (more = '') => JSON.parse(edgePolicy(machineWith(more), new Map()));

test("a machine's policy lists its checks' commands, and what the agent may run and read", () => {
  const policy = policyOf(
    `    checks: [disk]\n    customChecks: { raid: { ${raid}, root: true } }\n    agent: { commands: ["df {flags:h?} {path?}"], readPaths: [/srv/*] }\n`,
  );
  expect(policy).toEqual({
    version: 1,
    machine: 'rhel-01',
    checks: {
      disk: {
        commands: [
          ['df', '-PkT'],
          ['df', '-PiT'],
        ],
        root: false,
      },
      raid: { commands: [['mdadm', '--detail', '/dev/md0']], root: true },
    },
    agent: {
      commands: [
        {
          pattern: 'df {flags:h?} {path?}',
          root: false,
          words: [
            { match: '^df$', min: 1, max: 1 },
            { match: '^-[h]{1,1}$', min: 0, max: 1 },
            { match: '^/[^\\x00-\\x1f\\x7f]*$', min: 0, max: 1, path: true },
          ],
        },
      ],
      readable: ['/srv/*'],
      secret: secretPaths,
    },
    actions: {},
    limits: {
      commandTimeoutSeconds: 20,
      outputBytes: 131_072,
      agentOutputBytes: 32_768,
      concurrentCommands: 4,
    },
  });
});

test('"built-in" stands for the built-in list, beside what is added', () => {
  const patterns = (more: string) =>
    policyOf(more).agent.commands.map(({ pattern }: { pattern: string }) => pattern);
  expect(new Set(patterns(''))).toEqual(new Set(hostCommands));
  expect(new Set(patterns('    agent: { commands: [mysqladmin status, built-in] }\n'))).toEqual(
    new Set(['mysqladmin status', ...hostCommands]),
  );
  expect(new Set(policyOf('    agent: { readPaths: [built-in, /srv/*] }\n').agent.readable)).toEqual(
    new Set(['/srv/*', ...readablePaths]),
  );
  expect(policyOf('    agent: { commands: [] }\n').agent.commands).toEqual([]);
});

test('a policy holds the actions that the machine is authorised for, each argument as a rule', () => {
  const restart = actionSchema.parse({
    ...{ summary: 'restart it', risk: 'disruptive', verify: 'services', noUndo: 'n', timeoutSeconds: 30 },
    argv: ['systemctl', 'restart', '{unit}', '--lines={lines}', '/srv/{file}.log'],
    params: {
      unit: { type: 'choice', values: ['nginx.service', 'a+b'] },
      lines: { type: 'integer', min: 1, max: 12 },
      file: { type: 'text', pattern: '[a-z]{1,9}' },
    },
  });
  const catalogue = new Map([
    ['restart', restart],
    ['another', restart],
    ['not-here', restart],
  ]);
  const policy = (names: string) => edgePolicy({ ...machineWith(), actions: names.split(' ') }, catalogue);
  const { actions } = JSON.parse(policy('restart another unknown'));
  expect(Object.keys(actions)).toEqual(['another', 'restart']);
  expect(actions.restart).toEqual({
    argv: [
      '^systemctl$',
      '^restart$',
      '^(?!-)(?:nginx\\.service|a\\+b)$',
      '^--lines=(?:[1-9]|1[0-2])$',
      '^(?!.*\\.\\.)/srv/(?:[a-z]{1,9})\\.log$',
    ],
    timeoutSeconds: 30,
    interruptible: false,
    summary: 'restart it',
  });
  expect(policy('restart another')).toBe(policy('another restart'));
});

test('the order in which the fleet file says things changes nothing', () => {
  const text = (checks: string, own: string, agent: string) =>
    edgePolicy(
      machineWith(`    checks: [${checks}]\n    customChecks: { ${own} }\n    agent: { ${agent} }\n`),
      new Map(),
    );
  const [a, b] = [`aa: { ${raid} }`, `bb: { ${raid} }`];
  expect(text('disk, load', `${a}, ${b}`, 'commands: [df, free], readPaths: [/a, /b]')).toBe(
    text('load, disk', `${b}, ${a}`, 'readPaths: [/b, /a, /b], commands: [free, df, free]'),
  );
});

test('the digest is that of the bytes, with their last newline', () => {
  const text = edgePolicy(machineWith(), new Map());
  expect(text.endsWith('}\n')).toBe(true);
  expect(policyDigest(text)).toBe(`sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`);
});

describe('the fleet file', () => {
  const problemOf = (agent: string) => {
    try {
      machineWith(`    agent: { ${agent} }\n`);
    } catch (error) {
      if (error instanceof FleetFileError) return error.problems[0];
      throw error;
    }
    return undefined;
  };

  test('is refused with a pattern that cannot be read, and says what to write', () => {
    expect(problemOf('commands: [df, "cat {pth}"]')).toEqual({
      line: 6,
      path: 'machines[0].agent.commands[1]',
      problem: 'there is no kind {pth}',
      cure: 'Did you mean {path}?',
    });
  });

  test.each([
    '"*"',
    '/*',
    '/',
    'var/log',
    '/var/../etc/*',
    '/var/./log',
    '/var//log',
    '/var/log/',
    '"/var/[a]"',
  ])('is refused with the path %s to read', (path) => {
    expect(problemOf(`readPaths: [${path}]`)).toMatchObject({ path: 'machines[0].agent.readPaths[0]' });
  });

  test('is refused with a check whose program is a path, which no broker runs', () => {
    const check = (program: string) =>
      machineWith(`    customChecks: { a: { summary: s, command: [${program}], mustMatch: x } }\n`);
    expect(() => check('/bin/df')).toThrow('customChecks.a.command[0]: is no bare program name');
    expect(check('df').customChecks.a?.command).toEqual(['df']);
  });

  test('is refused with an image by tag', () => {
    expect(problemOf('image: quay.io/a/b:latest')).toMatchObject({
      path: 'machines[0].agent.image',
      cure: expect.stringContaining('with its digest'),
    });
    expect(problemOf(`image: quay.io/a/b@sha256:${'a'.repeat(64)}`)).toBeUndefined();
  });
});
