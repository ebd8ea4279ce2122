import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ackLimitMs } from '../../src/bot/slash-command.ts';
import { builtInChecks } from '../../src/fleet/checks/index.ts';
import { FleetFileError } from '../../src/fleet/errors.ts';
import { requestSchema } from '../../src/fleet/request.ts';
import { BotUnderTest, fleetOf, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(() => test.reset());

describe('a request', () => {
  it('is stored and acknowledged in silence: the message that appears is the receipt', async () => {
    const ack = await test.command('check web-01 disk', { trigger: 'T-1' });
    expect(ack).toEqual({ status: 200, text: '' });
    expect(test.requests.stored.map((run) => run.request)).toEqual([
      {
        eventId: 'cmd:T-1',
        machine: 'web-01',
        task: { kind: 'check', check: 'disk' },
        requester: { kind: 'person', userId: 'UANN', teamId: 'T1' },
        origin: { channel: 'C1' },
        acceptedAt: test.now,
        seal: expect.stringContaining('SSH SIGNATURE'),
      },
    ]);
  });

  it('carries the question as it was typed', async () => {
    await test.command('ask web-01 “why is a &lt; b &amp; slow on <http://web.example|web.example>?”');
    expect(test.requests.stored[0]?.request.task).toEqual({
      kind: 'ask',
      question: 'why is a < b & slow on web.example?',
    });
  });

  it('carries no secret that stands in the question, into records or campaigns', async () => {
    await test.command('ask web-* why is password=hunter2hunter2 refused by db?');
    const question = 'why is password=[redacted:password] refused by db?';
    expect(test.requests.stored.map((run) => run.request.task)).toEqual([
      { kind: 'ask', question },
      { kind: 'ask', question },
    ]);
    expect([...test.requests.campaigns.values()]).toMatchObject([{ task: { question } }]);
  });

  it('can be stored although the mark is longer than the secret in its place', async () => {
    await test.command(`ask web-01 ${'password=x '.repeat(300)}`);
    const [run] = test.requests.stored;
    expect(requestSchema.parse(run?.request)).toEqual(run?.request);
  });

  it('delivered twice is one request', async () => {
    const first = await test.command('check web-01 disk', { trigger: 'same' });
    const second = await test.command('check web-01 disk', { trigger: 'same' });
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(test.requests.stored).toHaveLength(1);
    expect(test.controls.counted).toEqual(['accepted check 1']);
  });

  it('to many machines is a campaign, accepted as one event', async () => {
    const ack = await test.command('check web-* disk', { trigger: 'T-2' });
    expect(ack.text).toContain('2 machines: check disk');
    expect(ack.text).toContain('"response_type":"ephemeral"');
    expect([...test.requests.campaigns.values()]).toMatchObject([
      { selector: 'web-*', machines: ['web-01', 'web-02'], origin: { channel: 'C1' } },
    ]);
    expect(test.requests.stored.map((run) => run.request.eventId)).toEqual(['cmd:T-2', 'cmd:T-2']);
    const [id] = test.requests.campaigns.keys();
    expect(id).toMatch(/^c-[0-9a-z]{12}$/);
    expect(test.requests.stored.every((run) => run.request.campaign === id)).toBe(true);
  });

  it('leaves out machines where the check is not authorised, and names them', async () => {
    test.fleet = fleetOf([machine('web-01'), machine('db-01', { checks: ['load'] })], [{ people: ['UANN'] }]);
    const ack = await test.command('check all disk');
    expect(ack.text).toContain('does not list this check for: `db-01`');
    expect(test.requests.stored.map((run) => run.request.machine)).toEqual(['web-01']);
  });
});

/** Lets Ben, who may do all with `web-*`, view the rest. */
function letBenViewAll(): void {
  const viewing = fleetOf([], [{ people: ['UBEN'], verbs: ['view'] }]).access;
  test.fleet = { ...test.fleet, access: [...test.fleet.access, ...viewing] };
}

it('a long question does not push out of the notice which machines were left out', async () => {
  letBenViewAll();
  const ack = await test.command(`ask all ${'why? '.repeat(700)}`, { user: 'UBEN' });
  expect(ack.text).toContain('because you may not: `db-01`');
});

describe('the acknowledgement', () => {
  it('comes in time when the store hangs, and the outcome is told later', async () => {
    const opened = Promise.withResolvers<void>();
    test.requests.gate = opened.promise;
    const startedAt = performance.now();
    const ack = await test.command('check web-01 disk');
    expect(performance.now() - startedAt).toBeLessThan(ackLimitMs + 800);
    expect(ack.text).toContain('Still storing');
    expect(ack.text).toContain('"response_type":"ephemeral"');
    expect(test.requests.stored).toHaveLength(0);

    opened.resolve();
    await vi.waitFor(() => expect(test.slack.responses).toHaveLength(1));
    expect(test.slack.responses[0]).toMatchObject({
      response_type: 'ephemeral',
      text: expect.stringContaining('Your request is stored'),
    });
    expect(test.requests.stored).toHaveLength(1);
  });

  it('tells that the store failed, when it fails late too', async () => {
    const opened = Promise.withResolvers<void>();
    test.requests.gate = opened.promise;
    await test.command('check web-01 disk');
    test.requests.away = true;
    opened.resolve();
    await vi.waitFor(() => expect(test.slack.responses).toHaveLength(1));
    expect(test.slack.responses[0]?.text).toContain('not certain that this was recorded');
  });

  it('tells that the store failed', async () => {
    test.requests.away = true;
    const ack = await test.command('check web-01 disk');
    expect(ack.text).toContain('not certain that this was recorded');
    expect(ack.text).toContain('"response_type":"ephemeral"');
  });

  it('comes in time when Slack does not say who the person is, and nothing is stored', async () => {
    test.slack.trouble('users.info', { kind: 'silence' });
    const startedAt = performance.now();
    const ack = await test.command('check web-01 disk');
    expect(performance.now() - startedAt).toBeLessThan(ackLimitMs + 800);
    expect(ack.text).toContain('Slack could not be asked who you are (no answer)');
    expect(test.requests.stored).toHaveLength(0);
  });
});

describe('access', () => {
  it.each([
    ['UGUS', 'Guests'],
    ['UBOT', 'Bots'],
    ['UOLD', 'deactivated'],
    ['USTRANGER', 'other organisations'],
    ['UCONNECT', 'other organisations'],
    ['UNOBODY', 'Slack could not be asked who you are (user_not_found)'],
  ])('is denied to %s although the table names them', async (user, reason) => {
    const ack = await test.command('check web-01 disk', { user });
    expect(ack.text).toContain(reason);
    expect(test.requests.stored).toHaveLength(0);
  });

  it('is given to people of another workspace of the same Enterprise Grid', async () => {
    await test.command('check web-01 disk', { user: 'USISTER' });
    expect(test.requests.stored).toHaveLength(1);
  });

  it('is given by membership of a user group at that moment', async () => {
    await test.command('check web-01 disk', { user: 'UBEN' });
    expect(test.requests.stored).toHaveLength(1);
    test.groups.set('SOPS', []);
    const ack = await test.command('check web-01 disk', { user: 'UBEN' });
    expect(ack.text).toContain('You may not check web-01');
    expect(test.requests.stored).toHaveLength(1);
  });

  it('is denied when Slack cannot say who is in the group, and the person is told why', async () => {
    test.slack.trouble('usergroups.users.list', { kind: 'rate-limit', retryAfterS: 30 });
    const ack = await test.command('check web-01 disk', { user: 'UBEN' });
    expect(ack.text).toContain('Slack could not be asked who is in user group SOPS');
    expect(test.requests.stored).toHaveLength(0);
  });

  it('is told as uncertain when Slack cannot say who is in the group: nothing is said to be all', async () => {
    const inDoubt = () =>
      test.slack.trouble('usergroups.users.list', { kind: 'rate-limit', retryAfterS: 30 });
    const doubt = 'Slack could not be asked who is in user group SOPS';
    inDoubt();
    const help = await test.command('help', { user: 'UBEN' });
    expect(help.text).toContain(doubt);
    expect(help.text).not.toContain('You may not do anything');

    test.fleet = {
      ...test.fleet,
      access: [...test.fleet.access, ...fleetOf([], [{ people: ['UBEN'], machines: 'db-01' }]).access],
    };
    await test.command('check all disk');
    const [campaign = ''] = test.requests.campaigns.keys();
    for (const command of ['help', 'list', 'runs', 'check all disk', `cancel ${campaign}`]) {
      inDoubt();
      expect((await test.command(command, { user: 'UBEN' })).text).toContain(doubt);
    }
    const cancelled = test.requests.stored.filter((run) => run.cancellation !== undefined);
    expect(cancelled.map((run) => run.request.machine)).toEqual(['db-01']);
  });

  it('by user id does not depend on groups, and asks about none', async () => {
    await test.command('check web-01 disk');
    expect(test.requests.stored).toHaveLength(1);
    expect(test.slack.callsOf('usergroups.users.list')).toHaveLength(0);
  });

  it.each(['all', 'web-*', 'role=web,role=db', 'db-?1'])(
    'is denied for %s without the name of a machine that the person may not view',
    async (selector) => {
      test.fleet = { ...test.fleet, access: [] };
      for (const command of [`check ${selector} disk`, `ask ${selector} why?`, `list ${selector}`]) {
        const { text } = await test.command(command);
        expect(text).toContain(`any machine that \`${selector}\` matches`);
        expect(text).toContain('Ask whoever maintains the fleet file');
        expect(text).not.toMatch(/(web|db)-0/);
      }
      expect((await test.command('list')).text).toContain('no machine that you may `view`');
    },
  );

  it('is denied for a campaign without the name of a machine', async () => {
    await test.command('check all disk');
    const [id = ''] = test.requests.campaigns.keys();
    test.groups.set('SOPS', []);
    const { text } = await test.command(`cancel ${id}`, { user: 'UBEN' });
    expect(text).toContain(`You may not \`cancel\` any run of \`${id}\``);
    expect(text).not.toMatch(/(web|db)-0/);
  });

  it('drops machines that the person may not view, and does not name them', async () => {
    const ack = await test.command('check all disk', { user: 'UBEN' });
    expect(ack.text).toContain('because you may not: machines that you may not view');
    expect(ack.text).not.toContain('db-01');
    expect(test.requests.stored.map((run) => run.request.machine)).toEqual(['web-01', 'web-02']);
  });

  it('drops the machines that the person may not touch, and names them', async () => {
    letBenViewAll();
    const ack = await test.command('check all disk', { user: 'UBEN' });
    expect(ack.text).toContain('because you may not: `db-01`');
    expect(test.requests.stored.map((run) => run.request.machine)).toEqual(['web-01', 'web-02']);
  });

  it('names the parts of a list that match nothing', async () => {
    const ack = await test.command('check web-01,web-9,role=none disk');
    expect(ack.text).toContain('Nothing matches `web-9`, `role=none`.');
    expect(test.requests.stored.map((run) => run.request.machine)).toEqual(['web-01']);
  });

  it('follows a fleet file that changed', async () => {
    test.fleet = fleetOf([machine('web-01')], []);
    const ack = await test.command('check web-01 disk');
    expect(ack.text).toContain('You may not check web-01');
    expect(test.requests.stored).toHaveLength(0);
  });
});

describe('a mistake', () => {
  it('is not answered by proposing what was excluded', async () => {
    const ack = await test.command('check web-01&!web-01 disk');
    expect(ack.text).toContain('No machine matches');
    expect(ack.text).not.toContain('Did you mean');
  });

  it.each([
    ['chek web-01 disk', 'Did you mean `/fleet check`?'],
    ['check web-1 disk', 'Did you mean `web-01`?'],
    ['check all,!web-01 disk', 'Did you mean `all&amp;!web-01`?'],
    ['check web-01 dsk', 'Did you mean `disk`?'],
    ['show web-o1', 'Did you mean `web-01`?'],
    ['check web-01', 'Which check of `web-01`? There are: `disk`, `memory`.'],
    ['check web-01 disk now', '`now` is more than a check takes'],
    ['ask web-01', 'What do you want to ask'],
    ['check web-01!x disk', 'is not a selector'],
    ['cancel r-000000000099', 'There is no run `r-000000000099`'],
  ])('%s is explained to the person alone', async (text, explanation) => {
    const ack = await test.command(text);
    expect(ack.text).toContain(explanation);
    expect(ack.text).toContain('"response_type":"ephemeral"');
    expect(test.requests.stored).toHaveLength(0);
  });

  it('is answered with a hint at the list only where there is something to see', async () => {
    const hint = '`/fleet list` shows the machines that you may view';
    for (const command of ['show nothing-like-it', 'check nothing-like-it disk', 'list nothing-like-it']) {
      expect((await test.command(command)).text).toContain(hint);
    }
    test.fleet = { ...test.fleet, access: [] };
    for (const command of ['show nothing-like-it', 'check nothing-like-it disk', 'list nothing-like-it']) {
      expect((await test.command(command)).text).not.toContain('/fleet list');
    }
  });

  it('does not reveal machines that the person may not see', async () => {
    const ack = await test.command('show db-1', { user: 'UBEN' });
    expect(ack.text).not.toContain('db-01');
  });
});

describe('the channel', () => {
  it.each(['CNOTIN', 'CPRIVATE'])(
    '%s without the bot: nothing is stored, and how to invite it is told',
    async (channel) => {
      test.channels.set('CNOTIN', false);
      const ack = await test.command('check web-01 disk', { channel });
      expect(ack.text).toContain('`/invite @fleetbot`');
      expect(test.requests.stored).toHaveLength(0);
    },
  );

  it('is asked about again after the bot was invited, and not again for a while then', async () => {
    test.channels.set('CNEW', false);
    await test.command('check web-01 disk', { channel: 'CNEW' });
    test.channels.set('CNEW', true);
    await test.command('check web-01 disk', { channel: 'CNEW' });
    await test.command('check web-01 disk', { channel: 'CNEW' });
    expect(test.requests.stored).toHaveLength(2);
    expect(test.slack.callsOf('conversations.info')).toHaveLength(2);
  });

  it('may be a direct message with the bot, but not one between other people', async () => {
    test.channels.set('DBOT', true);
    await test.command('check web-01 disk', { channel: 'DBOT' });
    expect(test.requests.stored).toHaveLength(1);
    const ack = await test.command('check web-01 disk', { channel: 'DOTHERS' });
    expect(ack.text).toContain('direct messages between other people');
    expect(test.requests.stored).toHaveLength(1);
  });

  it('is in doubt when Slack does not answer: nothing is stored, and the person is told', async () => {
    test.slack.trouble('conversations.info', { kind: 'rate-limit', retryAfterS: 30 });
    const ack = await test.command('check web-01 disk', { channel: 'CDOUBT' });
    expect(ack.text).toContain('could not be asked whether I am in this channel (rate limited)');
    expect(test.requests.stored).toHaveLength(0);
  });

  it('is not needed to look something up', async () => {
    const ack = await test.command('list', { channel: 'CPRIVATE' });
    expect(ack.text).toContain('web-01');
  });
});

describe('looking something up', () => {
  it('help lists what the person may do with some machine, and nothing else', async () => {
    test.fleet = fleetOf([machine('web-01')], [{ people: ['UANN'], verbs: ['view'] }]);
    const ack = await test.command('');
    expect(ack.text).toContain('/fleet list [selector]');
    expect(ack.text).toContain('/fleet help');
    expect(ack.text).not.toContain('/fleet check');
    expect(ack.text).not.toContain('/fleet cancel');
    expect(ack.text).not.toMatch(/\/fleet (halt|resume)/);
  });

  it('help lists halt and resume for those who may', async () => {
    test.fleet = fleetOf([machine('web-01')], [{ people: ['UANN'], verbs: ['halt', 'resume'] }]);
    const { text } = await test.command('help');
    expect(text).toContain('/fleet halt [selector] ‹reason›');
    expect(text).toContain('/fleet resume [selector or halt]');
  });

  it('help explains selectors, and names the checks of the machines that the person may check', async () => {
    test.fleet = fleetOf(
      [machine('web-01'), machine('db-01', { checks: ['load'] })],
      [{ people: ['UANN'], machines: 'web-*' }],
    );
    const { text } = await test.command('help');
    for (const selector of ['`all`', '`rhel-*`', '`role=web`', '`site=ams`', '`,` (or)', '`!` is not']) {
      expect(text).toContain(selector);
    }
    expect(text).toContain('(or) and &amp; (and)');
    expect(text).toContain('Checks: `disk` `memory`');
    expect(text).not.toContain('`load`');
  });

  it('help says what a period may be, to those who have a command that takes one', async () => {
    expect((await test.command('help')).text).toContain('Periods: 24h, 7d, today, yesterday,');
    test.fleet = fleetOf([machine('web-01')], [{ people: ['UANN'], verbs: ['halt'] }]);
    expect((await test.command('help')).text).not.toContain('Periods:');
  });

  it('help tells who may do nothing why', async () => {
    expect((await test.command('help', { user: 'UGUS' })).text).toContain('Guests');
    test.fleet = fleetOf([machine('web-01')], []);
    expect((await test.command('help')).text).toContain('`UANN`');
  });

  it('list says that the fleet file on disk is not the one in force, and in which line it is wrong', async () => {
    const problem = { line: 7, path: 'machines', problem: 'is missing', cure: 'Add it' };
    test.fleetProblem = new FleetFileError('fleet.yaml', [problem]);
    const ack = await test.command('list');
    expect(JSON.stringify(ack)).toContain('(line 7)');
    expect(JSON.stringify(ack)).toContain('Run `fleetbot validate` on it');
  });

  it('list and runs show only machines that the person may view', async () => {
    await test.command('check all disk');
    const list = await test.command('list', { user: 'UBEN' });
    const runs = await test.command('runs', { user: 'UBEN' });
    for (const ack of [list, runs]) {
      expect(ack.text).toContain('web-01');
      expect(ack.text).not.toContain('db-01');
    }
  });

  it('list tells what each machine is doing and its last verdict', async () => {
    await test.command('check web-01 disk');
    await test.command('check web-01 memory');
    const [first] = test.requests.stored;
    if (first === undefined) throw new Error('nothing stored');
    test.requests.stored[0] = { ...first, state: 'done', verdict: 'warning' };
    test.requests.records.set('web-01', { currentRunId: 'r-000000000001', waiting: 3 });
    test.requests.records.set('web-02', { quarantine: { runId: 'r-9', reason: 'not measured', at: 1 } });
    test.now += 5 * 60_000;
    const { text } = await test.command('list');
    expect(text).toMatch(/\*web-01\*[^\n]*\*warning\* 5 min 0 s ago · at work · 3 waiting/);
    expect(text).toMatch(/\*web-02\*.*QUARANTINED/);
    expect(text).toMatch(/\*db-01\*.*no verdict yet/);
  });

  it('list looks nothing up for more machines than it can ask about, and needs no store', async () => {
    test.requests.away = true;
    const away = await test.command('list');
    expect(away.text).toContain('*web-01*');
    expect(away.text).toContain('The store does not answer');
    test.fleet = fleetOf(
      Array.from({ length: 51 }, (_, index) => machine(`web-${index}`)),
      [{ people: ['UANN'] }],
    );
    const lookUp = vi.spyOn(test.requests, 'machine');
    expect((await test.command('list')).text).toContain('narrow the selector');
    expect(lookUp).not.toHaveBeenCalled();
  });

  it('runs tells who may view nothing that there are none that they may view', async () => {
    await test.command('check web-01 disk');
    test.fleet = { ...test.fleet, access: [] };
    const { text } = await test.command('runs');
    expect(text).toContain('none that you may view');
    expect(text).not.toContain('No runs yet');
  });

  it('show tells the state that a machine should be in, in plain words', async () => {
    const { expect: expected } = machine('web-01');
    const services = { active: ['sshd.service'], warnOnFailed: true };
    const certs = { ...expected.certs, files: ['/etc/web.pem'] };
    const network = { ...expected.network, interfaces: ['eth0'], resolve: ['db.test'], listening: [443] };
    const checks = builtInChecks.map((check) => check.name);
    test.fleet = fleetOf(
      [machine('web-01', { checks, expect: { ...expected, services, certs, network } })],
      [{ people: ['UANN'] }],
    );
    const { text } = await test.command('show web-01');
    for (const words of [
      '`disk` used space warn 80 % / critical 90 %, inodes warn 80 % / critical 90 %',
      '`memory` available warn 15 % / critical 5 %, used swap warn 50 % / critical 90 %',
      '`load` per processor warn 1.5 / critical 3',
      '`services` must be active: `sshd.service`',
      '`logs` error lines of a unit in 60 minutes warn 5 / critical 100',
      '`kernel` no fault, no new warning in 1440 minutes',
      '`time` off by warn 1000 ms / critical 30000 ms',
      '`network` a default route, up: `eth0`, known: `db.test`, listened on: `443`, link errors warn 0.1 %',
      '`updates` security updates warn 1 / critical 50, metadata warn 7 days; a reboot that is due is a warning',
      '`certs` valid for warn 21 / critical 7 days: `/etc/web.pem`',
      'agent: `edge`, asked whenever a person asks for a check',
      'No runs yet',
    ]) {
      expect(text).toContain(words);
    }
    await test.command('check web-01 disk');
    const [run] = test.requests.stored;
    if (run === undefined) throw new Error('nothing stored');
    test.requests.stored[0] = { ...run, state: 'done', verdict: 'critical' };
    test.now += 60_000;
    expect((await test.command('show web-01')).text).toMatch(/\*critical\*.*1 min 0 s ago/);
  });

  it('show tells in what a machine has drifted, and what mends it', async () => {
    const policy = { part: 'policy', expected: 'sha256:aa', found: null } as const;
    const image = {
      part: 'agent image',
      expected: 'quay.io/a@sha256:1',
      found: 'quay.io/a@sha256:2',
    } as const;
    const gate = { part: 'gate', expected: '1.1.0', found: '1.0.0' } as const;
    test.requests.records.set('web-01', { drift: { since: test.now, parts: [policy, image, gate] } });
    const { text } = await test.command('show web-01');
    for (const words of [
      'its policy is not known and should be `sha256:aa`',
      '`fleetbot edge policy web-01 &gt; policy.json`',
      'its agent image is `quay.io/a@sha256:2` and should be `quay.io/a@sha256:1`',
      '`setup-edge.sh --image quay.io/a@sha256:1`',
      'its gate is `1.0.0` and should be `1.1.0`. Install it on the machine, from the kit that came with fleetbot',
    ]) {
      expect(text).toContain(words);
    }
    expect((await test.command('show db-01')).text).not.toContain('DRIFT');
  });

  it('show and runs of one machine tell its runs, or that it is forbidden', async () => {
    await test.command('check web-01 disk');
    for (const command of ['show web-01', 'runs web-01']) {
      expect((await test.command(command)).text).toContain('r-000000000000');
    }
    expect((await test.command('show db-01', { user: 'UBEN' })).text).toContain('You may not view db-01');
  });
});

describe('cancelling', () => {
  it('is for who asked and for who has the verb', async () => {
    test.fleet = fleetOf(
      [machine('web-01')],
      [
        { people: ['UANN'], verbs: ['check'] },
        { people: ['UBEN'], verbs: ['view'] },
      ],
    );
    await test.command('check web-01 disk');
    const denied = await test.command('cancel r-000000000000', { user: 'UBEN' });
    expect(denied.text).toContain('You may not cancel web-01');
    expect(test.requests.stored[0]?.cancellation).toBeUndefined();
    const own = await test.command('cancel r-000000000000');
    expect(own.text).toContain('Cancelled before it began');
    expect(test.requests.stored[0]?.cancellation).toEqual({ userId: 'UANN', at: test.now });
  });

  it('ends the trace of a run that no worker took up, once', async () => {
    await test.command('check web-01 disk');
    await test.command('cancel r-000000000000');
    await test.command('cancel r-000000000000');
    expect(test.finishedTraces).toEqual(['r-000000000000']);
  });

  it('leaves the trace of a run at work to its worker', async () => {
    await test.command('check web-01 disk');
    const cancel = vi.spyOn(test.requests, 'cancel');
    cancel.mockImplementation(async (id) => {
      const run = await test.requests.run(id);
      return run === undefined ? { kind: 'unknown-run' } : { kind: 'requested', run };
    });
    expect((await test.command('cancel r-000000000000')).text).toContain('Asked to stop');
    expect(test.finishedTraces).toEqual([]);
  });

  it('of a campaign ends the runs on machines where the person may', async () => {
    await test.command('check all disk');
    const [id = ''] = test.requests.campaigns.keys();
    const ack = await test.command(`cancel ${id}`, { user: 'UBEN' });
    expect(ack.text).toContain(`Runs of \`${id}\`: 2 cancelled before they began`);
    expect(ack.text).toContain('1 more are on machines where you may not cancel');
    expect(test.requests.stored.filter((run) => run.cancellation).map((run) => run.request.machine)).toEqual([
      'web-01',
      'web-02',
    ]);
    expect(test.finishedTraces).toHaveLength(2);
  });

  it('of a campaign does not call cancelled what was only asked to stop', async () => {
    await test.command('check all disk');
    const [id = ''] = test.requests.campaigns.keys();
    const cancel = test.requests.cancel.bind(test.requests);
    vi.spyOn(test.requests, 'cancel').mockImplementation(async (runId, cancellation) => {
      const result = await cancel(runId, cancellation);
      return runId === test.requests.stored[0]?.id && result.kind === 'cancelled'
        ? { ...result, kind: 'requested' }
        : result;
    });
    expect((await test.command(`cancel ${id}`)).text).toContain(
      '1 asked to stop, 2 cancelled before they began',
    );
  });
});
