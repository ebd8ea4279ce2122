import { describe, expect, it } from 'vitest';
import { actionSchema } from '../../../src/fleet/action.ts';
import { actionsOf } from '../../../src/fleet/actions-of.ts';
import { readProposal } from '../../../src/fleet/agent-proposal.ts';
import type { Finding, Verdict } from '../../../src/fleet/finding.ts';
import type { Fleet } from '../../../src/fleet/fleet.ts';
import { loadFleet } from '../../../src/fleet/load-fleet.ts';
import type { Machine } from '../../../src/fleet/machine.ts';
import { nearestAction } from '../../../src/fleet/nearest-action.ts';
import { taskMessage } from '../../../src/fleet/task-message.ts';
import { createRulesModel } from '../../../src/sandbox/agent/rules-model.ts';
import { topics } from '../../../src/sandbox/agent/topics.ts';
import { newKeyPair } from '../../../src/sandbox/key-pair.ts';
import { answerHostCall } from '../../../src/sandbox/machine/host-tool.ts';
import { sandboxFleetFile } from '../../../src/sandbox/sandbox-fleet.ts';
import { machineRecord } from '../../support/machine-record.ts';

const machine = machineRecord({ port: 22, hostKey: 'ssh-ed25519 AAAA' }, { name: 'memory-disk-01' });
const signal = new AbortController().signal;

/** Answers a task, with these outputs for the commands that the model asks for, in order. */
async function answer(task: string, outputs: readonly string[], exitCode: number | null = 0) {
  const model = createRulesModel();
  const observations: { command: string; output: string; exitCode: number | null }[] = [];
  for (;;) {
    const step = await model.next(task, observations, signal);
    if (step.kind === 'answer')
      return { text: step.text, commands: observations.map(({ command }) => command) };
    observations.push({ command: step.command, output: outputs[observations.length] ?? '', exitCode });
  }
}

function sandboxFleet(): Fleet {
  const file = sandboxFleetFile(
    { port: 22, hostKey: newKeyPair().publicKey },
    { logFile: '/sandbox/app.log', configFile: '/sandbox/app.conf' },
  );
  return loadFleet(file, 'fleet.yaml');
}

function sandboxMachine(fleet = sandboxFleet()): Machine {
  const watched = fleet.machines.get('sandbox-01');
  if (!watched) throw new Error('the sandbox has no machine');
  return watched;
}

const df = `Filesystem Type 1024-blocks Used Available Capacity Mounted on
/dev/vda1 ext4 1000000 420000 580000 42% /
/dev/vdb1 xfs 2000000 1900000 100000 95% /srv/my data
tmpfs tmpfs 1000 1000 0 100% /run
`;
const du = '100\t/var/cache\n3000\t/var/lib\n3200\t/var\n';

const action = (changes: object) =>
  actionSchema.parse({
    argv: ['true'],
    risk: 'reversible',
    verify: 'disk',
    noUndo: 'It is gone.',
    ...changes,
  });
const vacuum = action({
  summary: 'Shrink the journal',
  params: { size: { type: 'choice', values: ['100M', '200M'] }, days: { type: 'integer', min: 2, max: 9 } },
});
const actions = new Map([
  ['restart-web', action({ summary: 'Restart the web server' })],
  [
    'clean-folder',
    action({ summary: 'Clean a folder', params: { folder: { type: 'text', pattern: '/var/.+' } } }),
  ],
  ['vacuum-journal', vacuum],
  ['prune-images', action({ summary: 'Prune images' })],
]);

describe('what the rules propose', () => {
  const check = (verdict: Verdict) =>
    taskMessage(machine, { kind: 'check', check: 'disk' }, { findings: [], verdict }, actions);
  const ask = (question: string) =>
    taskMessage(machine, { kind: 'ask', question }, { findings: [] }, actions);

  it.each(['warning', 'critical'] as const)('is an action that cures a disk that is %s', async (verdict) => {
    const { text } = await answer(check(verdict), [df, du]);
    expect(readProposal(text, actions)).toMatchObject({
      proposal: { action: 'vacuum-journal', params: { size: '100M', days: '2' } },
    });
    expect(text).toMatch(new RegExp(`VERDICT: ${verdict}$`));
  });

  it('is what a person would have cleaned up', async () => {
    const { text } = await answer(ask('can you clean up?'), [du, 'exec denied'], null);
    expect(readProposal(text, actions)).toMatchObject({ proposal: { action: 'vacuum-journal' } });
  });

  it('is an action of the sandbox, when a person wants it cleaned up', async () => {
    const fleet = sandboxFleet();
    const watched = sandboxMachine(fleet);
    const its = actionsOf(fleet, watched);
    const task = taskMessage(watched, { kind: 'ask', question: 'clean up, please' }, { findings: [] }, its);
    const { text, commands } = await answer(task, [du, 'exec denied'], null);
    expect(readProposal(text, its)).toMatchObject({ proposal: { action: 'trim-log' } });
    expect(nearestAction(its, commands.at(-1) ?? '')).toBe('trim-log');
  });

  it('is nothing for a disk that is well, for a question, and where no action fits', async () => {
    const web = new Map([...actions].slice(0, 2));
    const full = taskMessage(
      machine,
      { kind: 'check', check: 'disk' },
      { findings: [], verdict: 'critical' },
      web,
    );
    for (const task of [check('ok'), ask('what fills the disk?'), full]) {
      expect((await answer(task, [df, du])).text).not.toContain('PROPOSE');
    }
  });

  it('leaves out what has a value of its own', async () => {
    const params = { size: { type: 'choice', values: ['100M', '200M'], default: '200M' } };
    const withDefault = new Map([['vacuum-journal', action({ summary: 'Shrink', params })]]);
    const task = taskMessage(machine, { kind: 'ask', question: 'clean up' }, { findings: [] }, withDefault);
    expect((await answer(task, [du])).text).toMatch(/^PROPOSE: vacuum-journal$/m);
  });
});

describe('the rules', () => {
  it('name the fullest file systems and largest folders with the numbers of df and du', async () => {
    const { text, commands } = await answer('What fills the disk?', [df, du]);
    expect(commands).toEqual(['df -PkT', 'du -xk --max-depth=1 /var']);
    expect(text).toContain(
      'The fullest file systems: /srv/my data 95 % used (1.8 GiB), 97.7 MiB free of 1.9 GiB; / 42 % used (410.2 MiB)',
    );
    expect(text).toContain('The largest folders in /var: /var/lib 2.9 MiB; /var/cache 100.0 KiB.');
    expect(text).not.toContain('/run');
  });

  it('name available memory and the largest processes', async () => {
    const meminfo = 'MemTotal:       1000000 kB\nMemAvailable:    155000 kB\n';
    const ps = '  PID USER       RSS COMMAND\n   12 root    90000 my daemon\n';
    const { text } = await answer('is there enough RAM?', [meminfo, ps]);
    expect(text).toContain('memory 15.5 % of 976.6 MiB available, 151.4 MiB.');
    expect(text).toContain('my daemon (pid 12, root) 87.9 MiB.');
  });

  it('name the load and the busiest processes', async () => {
    const ps = '  PID USER     %CPU COMMAND\n  77 app      93.5 burner\n';
    const { text } = await answer('why is it so slow?', ['1.50 0.75 0.25 1/99 4242\n', '2\n', ps]);
    expect(text).toContain('1.50 over 1 minute, 0.75 over 5 and 0.25 over 15, on 2 processors');
    expect(text).toContain('burner (pid 77, app) 93.5 %.');
  });

  it('name failed services, or that there is none', async () => {
    const failed = await answer('which services failed?', ['web.service loaded failed failed The web\n']);
    expect(failed.text).toContain('1 failed: web.service.');
    expect((await answer('which services failed?', [''])).text).toContain('systemctl lists no failed unit.');
  });

  it('look for failed services when a person asks whether one runs', async () => {
    for (const question of ['is redis running?', 'did nginx crash?', 'is sshd down?']) {
      expect((await answer(question, [''])).commands, question).toEqual([
        'systemctl --failed --plain --no-legend',
      ]);
    }
    expect((await answer('what is running so slow?', [])).commands[0]).toBe('cat /proc/loadavg');
  });

  it('know who logged errors, how often, and what the kernel reports', async () => {
    const error = 'Nov 22 17:44:29 vm nginx[12]: connect() failed\n';
    const logged = `${error}${error}Nov 22 17:40:00 vm sudo: a password is required\n`;
    expect((await answer('any errors in the logs?', [logged])).text).toContain('nginx 2; sudo 1.');
    expect((await answer('any errors in the logs?', [''])).text).toContain('shows no error');
    expect((await answer('what does the kernel say?', [error])).text).toContain('1 error of the kernel');
  });

  it('know the default route, the ports and the clock', async () => {
    const route = '[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]}]\n';
    const ss = 'LISTEN 0 128 [::]:443 [::]:*\nLISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n';
    const { text } = await answer('which ports are open?', [route, ss]);
    expect(text).toContain('over eth0 to 192.0.2.1');
    expect(text).toContain('TCP ports listened on: 22, 443.');
    const clock = await answer('is the clock right?', ['NTP=yes\nNTPSynchronized=no\nTimezone=Etc/UTC\n']);
    expect(clock.text).toContain('NTP service enabled: yes; clock synchronised: no; time zone: Etc/UTC.');
  });

  it.each(['logs', 'kernel', 'network', 'time'])('look into %s after a check of it', async (check) => {
    const task = taskMessage(sandboxMachine(), { kind: 'check', check }, { findings: [] });
    const topic = topics.find(({ name }) => name === check);
    expect((await answer(task, [])).commands).toEqual(topic?.commands);
  });

  it('name the uptime after a check of it', async () => {
    const task = taskMessage(sandboxMachine(), { kind: 'check', check: 'uptime' }, { findings: [] });
    expect((await answer(task, ['5400.25 9000.00\n'])).text).toContain('up for 5400 s (1.5 hours)');
  });

  it('say which command failed and how, and invent nothing', async () => {
    const error = 'System has not been booted with systemd\n\n(Command exited with code 1)';
    const { text } = await answer('which services failed?', [error], 1);
    expect(text).toContain('`systemctl --failed --plain --no-legend` ended with exit code 1');
    expect(text).not.toContain('no failed unit');
    expect((await answer('disk?', [df, ''], null)).text).toContain('did not finish: it printed nothing');
  });

  it('look into what a check measured, whatever else stands in the task, and repeat its verdict', async () => {
    const findings: Finding[] = [{ severity: 'critical', subject: 'load', text: 'load 9 (disk)', output: 0 }];
    const task = taskMessage(machine, { kind: 'check', check: 'disk' }, { findings, verdict: 'critical' });
    const { text, commands } = await answer(task, [df, du]);
    expect(commands[0]).toBe('df -PkT');
    expect(text.split('\n').at(-1)).toBe('VERDICT: critical');
    const unjudged = taskMessage(machine, { kind: 'check', check: 'disk' }, { findings: [] });
    expect((await answer(unjudged, [df, du])).text.split('\n').at(-1)).toBe('VERDICT: inconclusive');
  });

  it('look into what a person asks, and give no verdict', async () => {
    const task = taskMessage(machine, { kind: 'ask', question: 'Why is it so slow?' }, { findings: [] });
    const { text, commands } = await answer(task, []);
    expect(commands[0]).toBe('cat /proc/loadavg');
    expect(text).not.toContain('VERDICT');
    const song = taskMessage(machine, { kind: 'ask', question: 'Sing a song.' }, { findings: [] });
    expect((await answer(song, [])).text).toContain(
      'I only know rules for cleanup, disk, memory, load, services',
    );
  });

  it('always say that they are no language model', async () => {
    for (const question of ['disk', 'memory', 'load', 'services', 'uptime', 'sing']) {
      expect((await answer(question, [])).text).toContain(
        'rule-based sandbox agent, not a language model; tokens are counted words',
      );
    }
  });

  it('only ask for what the broker lists, but for what is to be denied', async () => {
    const options = { redact: (text: string) => text, clock: Date.now, timeLimitMs: 1 };
    const reply = async (command: string) => answerHostCall({ id: 1, argv: command.split(' ') }, options);
    for (const command of topics.flatMap(({ commands }) => commands)) {
      expect((await reply(command))?.output, command).not.toBeNull();
    }
    const denied = topics.flatMap(({ denied: command = [] }) => command);
    expect(denied).toHaveLength(1);
    for (const command of denied) expect(await reply(command), command).toMatchObject({ output: null });
  });

  it('say that a command which would change the machine was denied', async () => {
    const { text, commands } = await answer(
      'clean up the disk',
      [du, '"error": "exec denied: allowlist miss"'],
      null,
    );
    expect(commands).toEqual(['du -xk --max-depth=1 /var', 'journalctl --vacuum-size=100M']);
    expect(text).toContain('`journalctl --vacuum-size=100M` was denied: nothing that I run may change');
  });
});
