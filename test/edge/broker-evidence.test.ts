import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  actionReplySchema,
  evidenceReplySchema,
  refusalSchema,
} from '../../src/edge-client/gate-protocol.ts';
import { edgeKitVersion } from '../../src/fleet/edge-kit.ts';
import { edgePolicy, policyDigest } from '../../src/fleet/edge-policy.ts';
import { machineWith } from '../fleet/fixtures.ts';
import { BrokerMachine, hasPython, type PolicyParts, patience } from '../support/edge-broker.ts';
import { isRunning } from '../support/is-running.ts';

const refusedSchema = z.strictObject({ refused: refusalSchema });
const evidenceSchema = z.strictObject({ ok: evidenceReplySchema });
const machine = new BrokerMachine();
const pidFile = join(machine.folder, 'pids');

const check = (...argv: string[]) => ({ commands: [argv] });
const policy: PolicyParts = {
  checks: {
    two: { commands: [['say', 'one word', '$HOME; *'], ['absent']], root: true },
    environment: check('environment'),
    secret: check('leak', 'password=hunter2x'),
    endless: check('endless'),
    long: check('long'),
    straddling: check('straddling'),
    shrinking: check('shrinking'),
    coloured: check('coloured'),
    slow: check('slow'),
    failing: check('failing'),
    notexecutable: check('notexecutable'),
    killed: check('killed'),
    background: check('background'),
    tame: check('tame'),
  },
  limits: { commandTimeoutSeconds: 2, outputBytes: 1_000 },
};

async function evidence(name: string) {
  const reply = evidenceSchema.parse(await machine.gate({ do: 'evidence', fence: 7, check: name })).ok;
  const [output] = reply.outputs;
  if (output === undefined) throw new Error('no output');
  return { ...reply, output };
}

async function refusal(call: unknown) {
  return refusedSchema.parse(await machine.gate(call)).refused;
}

async function pids(): Promise<number[]> {
  return (await readFile(pidFile, 'utf8')).trim().split(/\s+/).map(Number);
}

describe.runIf(hasPython)("the broker's evidence", () => {
  beforeAll(async () => {
    await machine.prepare(policy);
    await machine.program('say', 'for word in "$@"; do echo "<$word>"; done; pwd');
    await machine.program('environment', '/usr/bin/env | /usr/bin/sort; umask; /bin/cat');
    await machine.program('leak', `echo "the $1"; echo "token: abcdefg" >&2; exit 3`);
    await machine.program('endless', 'while :; do echo 0123456789; done');
    await machine.program('long', 'i=0; while [ $i -lt 200 ]; do echo 0123456789; i=$((i+1)); done');
    await machine.program('straddling', `printf '%0990d password=%s' 0 hunter2xhunter2xhunter2x`);
    await machine.program(
      'shrinking',
      `echo "-----BEGIN PRIVATE KEY-----"
      i=0; while [ $i -lt 130 ]; do printf '%064d\n' 0; i=$((i+1)); done
      printf '%s\n%0660d https://bob:hunter2xhunter2xhunter2x@host' "-----END PRIVATE KEY-----" 0`,
    );
    await machine.program(
      'coloured',
      String.raw`printf 'a=1 \033[36mpassword\033[0m=hunter2x\n--token\000hunter2x\000--user\000\033]0;title\007bob\n'`,
    );
    await machine.program(
      'slow',
      `/bin/sleep 60 & echo $! $$ > ${pidFile}.new
      /usr/bin/setsid /bin/sleep 61 & echo $! >> ${pidFile}.new
      /bin/mv ${pidFile}.new ${pidFile}; echo begun; wait`,
    );
    await machine.program('failing', 'echo bad >&2; exit 2');
    await machine.program('killed', 'kill -TERM $$');
    await machine.program('background', `/bin/sleep 60 & echo $! > ${pidFile}; echo done`);
    await machine.program(
      'tame',
      '/bin/sleep 0.3; /usr/bin/nice; /bin/cat /proc/self/oom_score_adj; ulimit -c',
    );
    await writeFile(join(machine.folder, 'bin/notexecutable'), '#!/bin/sh\n');
    await machine.start();
  });
  afterAll(() => machine.remove());

  it('runs the commands of a check in order, each exactly as listed, without a shell', async () => {
    const { check: name, outputs, collectedAt } = await evidence('two');
    expect(name).toBe('two');
    expect(Math.abs(Date.parse(collectedAt) - Date.now())).toBeLessThan(10_000);
    expect(outputs).toMatchObject([
      {
        argv: ['say', 'one word', '$HOME; *'],
        exitCode: 0,
        stdout: '<one word>\n<$HOME; *>\n/\n',
        stderr: '',
        truncated: false,
      },
      { argv: ['absent'], exitCode: 127, stderr: 'absent: command not found\n' },
    ]);
  });

  it('gives a command a fixed environment, no input and no way to write for others', async () => {
    const { output } = await evidence('environment');
    expect(output.stdout.split('\n').filter((line) => !/^(_|PWD|SHLVL|OLDPWD)=/.test(line))).toEqual([
      'HOME=/',
      'LC_ALL=C',
      'PAGER=cat',
      `PATH=${machine.folder}/bin`,
      'SYSTEMD_PAGER=',
      '0077',
      '',
    ]);
  });

  it('puts a command behind everything else on the machine', async () => {
    expect((await evidence('tame')).output.stdout).toBe('19\n900\n0\n');
  });

  it('hides secrets in the words, the output and the journal', async () => {
    const { output } = await evidence('secret');
    expect(output).toMatchObject({
      argv: ['leak', 'password=[redacted:password]'],
      exitCode: 3,
      stdout: 'the password=[redacted:password]\n',
      stderr: 'token: [redacted:token]\n',
    });
    expect(machine.printed).toContain('FLEETBOT_CHECK=secret');
    expect(machine.printed).not.toContain('hunter2x');
  });

  it('hides a secret that straddles the limit of the output', async () => {
    const { output } = await evidence('straddling');
    expect(output.stdout).not.toContain('hunter');
    expect(output.truncated).toBe(true);
  });

  it('hides what was read last where redaction made room for it: a secret may begin there', async () => {
    const { output } = await evidence('shrinking');
    expect(output.stdout).not.toContain('hunter');
    expect(output.truncated).toBe(true);
  });

  it('hides secrets among the colours of a terminal and the words of a process', async () => {
    const { output } = await evidence('coloured');
    expect(output).toMatchObject({
      stdout: 'a=1 password=[redacted:password]\n--token [redacted:token] --user bob\n',
      truncated: false,
    });
  });

  it('cuts a long output and lets its command end', async () => {
    const { output } = await evidence('long');
    expect(output).toMatchObject({ exitCode: 0, truncated: true });
    expect(output.stdout).toHaveLength(1_000);
  });

  it('ends a command that prints without end, and keeps little of it', async () => {
    const { output } = await evidence('endless');
    expect(output).toMatchObject({ exitCode: null, truncated: true });
    expect(output.stdout).toHaveLength(1_000);
  });

  it('ends a command that takes too long, with all of its descendants', async () => {
    const { output } = await evidence('slow');
    expect(output).toMatchObject({ exitCode: null, stdout: 'begun\n', truncated: false });
    expect(output.durationMs).toBeGreaterThanOrEqual(2_000);
    const begun = await pids();
    await expect.poll(() => begun.filter(isRunning), patience).toEqual([]);
  });

  it('ends what a command leaves running', async () => {
    expect((await evidence('background')).output).toMatchObject({ exitCode: 0, stdout: 'done\n' });
    const begun = await pids();
    await expect.poll(() => begun.filter(isRunning), patience).toEqual([]);
  });

  it('ends the command of a caller that goes away', async () => {
    await machine.writePolicy({ ...policy, limits: { commandTimeoutSeconds: 60 } });
    await writeFile(pidFile, '');
    const socket = createConnection(join(machine.folder, 'gate.sock'));
    socket.write('{"do":"evidence","fence":7,"check":"slow"}\n');
    await expect.poll(pids, patience).toHaveLength(3);
    const running = await pids();
    socket.destroy();
    await expect.poll(() => running.filter(isRunning), patience).toEqual([]);
    await machine.writePolicy(policy);
  });

  it('takes no more checks than leave room for a stop', async () => {
    const sockets = Array.from({ length: 17 }, () => createConnection(join(machine.folder, 'gate.sock')));
    const replies: string[] = [];
    for (const socket of sockets) {
      socket.on('data', (reply) => replies.push(String(reply)));
      socket.write('{"do":"evidence","fence":7,"check":"slow"}\n');
    }
    await expect.poll(() => replies, patience).toHaveLength(1);
    expect(replies[0]).toContain('16 checks run or wait');
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => evidence('failing').catch(() => undefined), patience).toBeDefined();
  });

  it('tells how a command failed', async () => {
    expect((await evidence('failing')).output).toMatchObject({ exitCode: 2, stderr: 'bad\n' });
    expect((await evidence('killed')).output.exitCode).toBeNull();
    expect((await evidence('notexecutable')).output).toMatchObject({
      exitCode: 126,
      stderr: 'notexecutable: Permission denied\n',
    });
  });

  it('says so when the machine has no room for another process', async () => {
    const limitFiles = (soft: string) =>
      spawnSync('prlimit', [`--pid=${machine.child.pid}`, `--nofile=${soft}:`], { encoding: 'utf8' });
    const { stdout } = spawnSync(
      'prlimit',
      [`--pid=${machine.child.pid}`, '--nofile', '-o', 'SOFT', '--noheadings'],
      { encoding: 'utf8' },
    );
    limitFiles('11');
    expect(await refusal({ do: 'evidence', fence: 7, check: 'failing' })).toEqual({
      code: 'internal',
      message: expect.stringContaining('Too many open files'),
    });
    limitFiles(stdout.trim());
    expect((await evidence('failing')).output.exitCode).toBe(2);
  });

  it('refuses a check that it was not authorised for, and says which are', async () => {
    expect(await refusal({ do: 'evidence', fence: 7, check: 'other' })).toEqual({
      code: 'verb-refused',
      message: expect.stringMatching(/"other" is not among .* two, environment/),
    });
  });

  it('refuses what it is not asked rightly', async () => {
    for (const call of [
      ...[{}, [], null, 7, { do: 'reboot' }, { do: ['evidence'] }, { do: 'evidence', check: 'two' }],
      ...[
        { do: 'evidence', fence: -1, check: 'two' },
        { do: 'evidence', fence: 7, check: 1 },
      ],
      ...[{ do: 'agent-start', fence: 7, run: 'r', traceparent: 'x' }, { do: 'result' }],
    ])
      expect(await refusal(call)).toMatchObject({ code: 'verb-refused' });
  });

  it('approves no change and knows of none', async () => {
    expect(await refusal({ do: 'act', fence: 7, capsule: 'x' })).toMatchObject({
      code: 'verb-refused',
      message: expect.stringContaining('no key'),
    });
    const id = 'a-00000000aaaa';
    const { ok } = z.object({ ok: actionReplySchema }).parse(await machine.gate({ do: 'result', id }));
    expect(ok).toMatchObject({ id, outcome: 'unknown' });
    expect(await refusal({ do: 'result', id: '../machine' })).toMatchObject({ code: 'verb-refused' });
  });

  it('says what is installed', async () => {
    const digest = createHash('sha256').update(readFileSync(machine.policyFile)).digest('hex');
    expect(await machine.gate({ do: 'about' })).toEqual({
      ok: {
        broker: edgeKitVersion,
        policy: `sha256:${digest}`,
        image: 'localhost/agent@sha256:00',
        plugin: '1.0.0',
        traces: true,
        signers: [],
      },
    });
  });

  it('takes the policy that is printed for its machine, and names it as the centre does', async () => {
    const printed = edgePolicy({ ...machineWith(''), name: machine.name }, new Map());
    await writeFile(machine.policyFile, printed);
    expect(await machine.gate({ do: 'about' })).toMatchObject({ ok: { policy: policyDigest(printed) } });
    await machine.writePolicy(policy);
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'it is not JSON'],
    ['another version', { version: 2 }, 'version must be 1'],
    ['another machine', { machine: 'm2' }, 'machine must be m1'],
    ['an unknown field', { extra: 1 }, 'it has the unknown field extra'],
    ['a missing field', { limits: undefined }, 'it has no field limits'],
    ['a limit of nothing', { limits: { commandTimeoutSeconds: 0 } }, 'limits'],
    ['a path as program', { checks: { a: { commands: [['/bin/sh']] } } }, 'checks.a.commands[0][0]'],
    ['an empty command', { checks: { a: { commands: [[]] } } }, 'checks.a.commands[0] must be a list'],
    [
      'a path for root',
      {
        agent: {
          commands: [{ pattern: 'x', root: true, words: [{ match: '.', min: 1, max: 1, path: true }] }],
          readable: [],
          secret: [],
        },
      },
      'agent.commands[0] takes a path, so it must not run as root',
    ],
    [
      'a pattern that is none',
      {
        agent: {
          commands: [{ pattern: 'x', words: [{ match: '(', min: 1, max: 1 }] }],
          readable: [],
          secret: [],
        },
      },
      'agent.commands[0].words[0].match',
    ],
  ])('takes no policy with %s, says why, and takes the next good one', async (_, change, reason) => {
    const good = await readFile(machine.policyFile, 'utf8');
    const bad =
      typeof change === 'string' ? change : JSON.stringify({ ...JSON.parse(good), ...Object(change) });
    await writeFile(machine.policyFile, bad);
    const { message } = await refusal({ do: 'evidence', fence: 7, check: 'two' });
    expect(message).toContain(reason);
    expect(message).toContain('fleetbot edge policy m1');
    expect(await machine.gate({ do: 'about' })).toMatchObject({ ok: { policy: null } });
    await writeFile(machine.policyFile, good);
    expect((await evidence('failing')).output.exitCode).toBe(2);
  });
});
