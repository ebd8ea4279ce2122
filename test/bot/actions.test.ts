import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runAgainActionId, undoActionId } from '../../src/bot/action-ids.ts';
import { requestNamespace, requestText } from '../../src/fleet/request.ts';
import type { Run } from '../../src/fleet/run.ts';
import { signerOf } from '../../src/fleet/ssh-signature.ts';
import { sampleHalt } from '../support/sample-halt.ts';
import { personsSilence } from '../support/sample-silence.ts';
import { asking, askingAccess, askingFleet } from './asking-fleet.ts';
import { BotUnderTest, eventually } from './bot-under-test.ts';

const test = new BotUnderTest();
beforeAll(() => test.start());
afterAll(() => test.stop());
beforeEach(() => {
  test.reset();
  test.users.set('UCID', {});
  test.groups.set('SOPS', ['UBEN']);
  test.groups.set('SDBA', []);
  test.fleet = askingFleet();
});

const requests = () => test.requests.stored.map(({ request }) => request);
const answer = async (text: string, user = 'UANN') => {
  const ack = await test.command(text, { user });
  return [
    ['&amp;', '&'],
    ['&gt;', '>'],
    ['&lt;', '<'],
    ['\\"', '"'],
  ].reduce((shown, [escaped = '', plain = '']) => shown.replaceAll(escaped, plain), ack.text);
};

describe('/fleet run', () => {
  it('stores who asks for what, with every parameter, sealed', async () => {
    expect(await test.command('run web-01 vacuum-journal')).toEqual({ status: 200, text: '' });
    const [request, ...others] = requests();
    expect(others).toEqual([]);
    expect(request).toMatchObject({
      machine: 'web-01',
      task: { kind: 'act', action: 'vacuum-journal', params: { size: '200M' } },
      requester: { userId: 'UANN' },
      origin: { channel: 'C1' },
    });
    if (request?.seal === undefined || test.decisionKey === undefined) throw new Error('not sealed');
    const keys = [createPublicKey(test.decisionKey)];
    expect(signerOf(keys, requestNamespace, requestText(request), request.seal)).toBe(keys[0]);
    expect(test.controls.counted).toEqual(['accepted act 1']);
  });

  it('on a silenced machine is stored, and says that the silence holds', async () => {
    const silence = personsSilence({ until: test.now + 60_000 });
    await test.controls.silences.begin(silence, 'before');
    const text = await answer('run web-01 vacuum-journal');
    expect(text).toContain(`(\`${silence.id}\`). What you asked for goes on: people are asked`);
    expect(requests()).toHaveLength(1);
  });

  it.each([
    ['run', 'Which machine, and which action?'],
    ['run web-01', 'Which machine, and which action?'],
    ['run web-01 vacum-journal', 'Did you mean vacuum-journal?'],
    ['run web-01 vacuum-journal size=1G', 'size cannot be "1G"'],
    ['run web-01 vacuum-journal sise=100M', 'Did you mean size?'],
    ['run web-01 vacuum-journal 100M', '"100M" is no parameter'],
    ['run web-01 set-swappiness', 'value is missing'],
    ['run db-01 vacuum-journal', 'db-01 has no action vacuum-journal'],
    ['run web-1 vacuum-journal', 'Did you mean `web-01`?'],
    ['run web-* vacuum-journal', 'an action is for one machine at a time'],
    ['run all vacuum-journal', 'an action is for one machine at a time'],
    ['run web-01 empty-cache', 'for destructive actions'],
  ])('%s stores nothing, and says what to type: %s', async (text, explanation) => {
    expect(await answer(text)).toContain(explanation);
    expect(requests()).toEqual([]);
  });

  it('says where no signer runs, and is stored all the same', async () => {
    test.controls.signer = false;
    expect(await answer('run web-01 vacuum-journal')).toContain('No signer runs at the moment');
    expect(await answer('run web-01 vacuum-journal size=100M --dry-run')).toContain('No signer runs');
    expect(await answer('check web-01 disk')).not.toContain('signer');
    expect(requests().map(({ task }) => task.kind)).toEqual(['act', 'check']);
  });

  it('takes no secret, because everybody could read it on the card', async () => {
    expect(await answer('run web-01 set-swappiness value=password=hunter2hunter2')).toContain(
      'looks like a secret',
    );
    expect(requests()).toEqual([]);
  });

  it('is denied without the verb, to a guest, and while Slack does not answer', async () => {
    expect(await answer('run web-01 vacuum-journal', 'UBEN')).toContain(
      'You may not ask for actions on web-01',
    );
    expect(await answer('run web-01 vacuum-journal', 'UGUS')).toContain('Guests');
    test.slack.trouble('users.info', { kind: 'error', code: 'internal_error' });
    expect(await answer('run web-01 vacuum-journal')).toContain('could not be asked who you are');
    expect(requests()).toEqual([]);
  });

  it('starts nothing on a machine that is halted', async () => {
    const halt = sampleHalt();
    test.controls.halts.stored.set(halt.id, { halt, members: new Map() });
    expect(await answer('run web-01 vacuum-journal')).toContain('Nothing was started');
    expect(requests()).toEqual([]);
  });

  it('clicked Run again asks again, by the access table of the moment', async () => {
    await test.command('run web-01 vacuum-journal size=100M');
    await test.click(runAgainActionId, 'r-000000000000');
    await eventually(() => expect(requests()).toHaveLength(2));
    expect(requests()[1]).toMatchObject({ task: { params: { size: '100M' } }, seal: expect.any(String) });
    test.fleet = askingFleet([{ people: ['UANN'], verbs: ['view'] }]);
    test.now += 60_000;
    await test.click(runAgainActionId, 'r-000000000000');
    await eventually(() =>
      expect(JSON.stringify(test.slack.responses)).toContain('You may not ask for actions'),
    );
    expect(requests()).toHaveLength(2);
  });
});

describe('/fleet run --dry-run', () => {
  it('shows what people would be asked and what the rules say, and stores nothing', async () => {
    const shown = await answer('run web-01 set-swappiness value=10 --dry-run');
    for (const words of [
      'Dry run: nothing was asked for',
      '`sysctl -w vm.swappiness=10`',
      '*reversible*',
      'undo: `set-swappiness`, which runs `sysctl -w vm.swappiness=60`',
      'verified by the check `memory`',
      'would be asked: <!subteam^SOPS> <!subteam^SDBA>',
      '1 person must agree',
      'line 1',
    ]) {
      expect(shown).toContain(words);
    }
    expect(await answer('run web-01 vacuum-journal --dry-run')).toContain(
      'only while the check `disk` finds something warning or critical about `/var`',
    );
    expect(requests()).toEqual([]);
  });

  it('by somebody who may not ask says so first', async () => {
    test.users.set('UBEN', {});
    const shown = await answer('run web-01 vacuum-journal --dry-run', 'UBEN');
    const refusal = shown.indexOf(':no_entry: You may not ask for actions on web-01');
    expect(refusal).toBeGreaterThan(0);
    expect(refusal).toBeLessThan(shown.indexOf('would run exactly this'));
    expect(await answer('run web-01 vacuum-journal --dry-run')).not.toContain(':no_entry:');
  });

  it('says where the fleet file names too few people to agree', async () => {
    const [mayAsk = {}] = askingAccess;
    test.fleet = askingFleet([mayAsk]);
    expect(await answer('run web-01 vacuum-journal --dry-run')).toContain(
      ':warning: nobody may approve this',
    );
    test.fleet = askingFleet([mayAsk, { people: ['UBEN'], verbs: ['approve'], upTo: 'destructive' }]);
    expect(await answer('run web-01 vacuum-journal --dry-run')).not.toContain(':warning:');
    expect(await answer('run web-01 empty-cache --dry-run')).toContain(
      'user groups that must agree are named',
    );
  });

  it('typed with the dash that phones make of two hyphens is a dry run too', async () => {
    expect(await answer('run web-01 vacuum-journal \u2014dry-run')).toContain('Dry run');
    expect(requests()).toEqual([]);
  });

  it('is for those who may view the machine', async () => {
    expect(await answer('run web-01 empty-cache --dry-run', 'UBEN')).toContain('2 people must agree');
    expect(await answer('run web-01 empty-cache --dry-run', 'UCID')).toContain('You may not view');
  });
});

describe('/fleet approvals', () => {
  it('lists what waits for me, then what I asked for, with the address of the card', async () => {
    const mine = asking(test.now, {}, 'r-00000000aaaa');
    const others = asking(
      test.now,
      { requester: { kind: 'person', userId: 'UCID', teamId: 'T1' }, machine: 'db-01' },
      'r-00000000bbbb',
    );
    test.requests.stored.push(mine, others);
    test.parts.set('r-00000000aaaa', {
      main: { intended: 1, posted: { channel: 'C1', ts: '17.000001', digest: '' } },
      approval: { intended: 1, posted: { channel: 'C1', ts: '17.000002', digest: '' } },
    });
    test.now += 5 * 60_000;
    const ben = await answer('approvals', 'UBEN');
    expect(ben).toContain('*You may decide*');
    expect(ben).toContain('wanted by <@UANN> 5 min 0 s ago');
    expect(ben).toContain('<https://acme.slack.com/archives/C1/p17000002?thread_ts=17.000001&cid=C1|card>');
    expect(ben).not.toContain('You asked for');
    const ann = await answer('approvals');
    expect(ann).toMatch(/You may decide.*db-01.*You asked for.*web-01/s);
    expect(await answer('approvals', 'UCID')).not.toContain('web-01');
  });

  it('leaves out what I have approved already', async () => {
    const { approval, ...run } = asking(test.now, { quorum: { approvals: 2, differentGroups: false } });
    if (approval === undefined) throw new Error('asks nothing');
    const { id } = approval.question;
    const decision = {
      ...{
        approval: id,
        question: 'd',
        kind: 'approve' as const,
        groups: ['SOPS'],
        at: test.now,
        eventId: 'e',
      },
      by: { kind: 'person' as const, userId: 'UBEN', teamId: 'T1' },
    };
    const votes = [{ decision, signature: 's' }];
    test.requests.stored.push({ ...run, approval: { ...approval, votes } });
    test.groups.set('SOPS', ['UBEN', 'UCID']);
    expect(await answer('approvals', 'UBEN')).toContain('Nothing waits for you');
    expect(await answer('approvals', 'UCID')).toContain('1 approved, 2 people must agree');
  });

  it('says so where nothing waits, and where that is not certain', async () => {
    expect(await answer('approvals')).toContain('Nothing waits for you');
    test.requests.stored.push(asking(test.now));
    test.slack.trouble('usergroups.users.list', { kind: 'error', code: 'internal_error' }, { times: 2 });
    const shown = await answer('approvals', 'UBEN');
    expect(shown).toContain('Nothing waits for you');
    expect(shown).toContain('nobody counts as a member');
  });
});

describe('/fleet why', () => {
  it.each([
    ['why me act web-01', '<@UANN>', 'line 1'],
    ['why <@UBEN|ben> approve web-01 empty-cache', '<@UBEN>', 'line 2'],
    ['why UBEN act web-01', '<@UBEN>', 'act'],
    ['why UGUS act web-01', '<@UGUS>', 'Guests'],
  ])('%s explains rule by rule', async (text, who, rule) => {
    const shown = await answer(text);
    expect(shown).toContain(`May ${who}`);
    expect(shown).toContain(rule);
  });

  it.each([
    ['why', 'Who, what, and on which machine?'],
    ['why ben act web-01', '`ben` is nobody'],
    ['why me aprove web-01', 'Did you mean `approve`?'],
    ['why me check web-01 vacuum-journal', 'does not depend on an action'],
    ['why me act web-01 vacum-journal', 'Did you mean `vacuum-journal`?'],
    ['why me act web-9', 'There is no machine'],
  ])('%s: %s', async (text, explanation) => {
    expect(await answer(text)).toContain(explanation);
  });

  it('is for those who may view the machine', async () => {
    expect(await answer('why UANN act web-01', 'UCID')).toContain('You may not view');
  });
});

it('/fleet show lists what can be asked for', async () => {
  const shown = await answer('show web-01');
  expect(shown).toContain('`vacuum-journal` Shrink the journal (reversible) · size: ');
  expect(await answer('show db-01')).not.toContain('Actions that people can ask for');
});

describe('/fleet help', () => {
  it('lists the commands for changes to those who may use them', async () => {
    const ann = await answer('help');
    expect(ann).toContain('`me` is you');
    for (const name of ['run', 'approvals', 'why']) expect(ann).toContain(`/fleet ${name}`);
    expect(await answer('help', 'UBEN')).not.toContain('/fleet run <');
  });
});

describe('Undo', () => {
  const runId = 'r-00000000aaaa';

  /** A run whose action ended so. */
  function acted(action: Partial<NonNullable<Run['action']>>, undo = true): void {
    const argv = ['sysctl', '-w', 'vm.swappiness=10'];
    const back = {
      action: 'set-swappiness',
      params: { value: '60' },
      argv: ['sysctl', '-w', 'vm.swappiness=60'],
    };
    const run = asking(test.now, {
      subject: {
        ...{ kind: 'action', action: 'set-swappiness', params: { value: '10' }, argv, digest: 'd' },
        ...(undo ? { undo: back } : { noUndo: 'It cannot be.' }),
      },
    });
    test.requests.stored.push({
      ...run,
      state: 'done',
      action: { detail: '', stdout: '', stderr: '', outcome: 'done', effect: 'unchanged', ...action },
    });
    test.parts.set(runId, {
      main: { intended: 1, posted: { channel: 'C1', ts: '17.000001', digest: '' } },
    });
  }

  it('asks for what takes it back, in the name of who clicked and in the same thread', async () => {
    acted({});
    await test.click(undoActionId, runId);
    await eventually(() => expect(requests()).toHaveLength(2));
    expect(requests()[1]).toMatchObject({
      task: { kind: 'act', action: 'set-swappiness', params: { value: '60' } },
      requester: { userId: 'UANN' },
      origin: { channel: 'C1', threadTs: '17.000001' },
      seal: expect.any(String),
    });
  });

  it('clicked twice is one request', async () => {
    acted({ outcome: 'failed' });
    await Promise.all([test.click(undoActionId, runId), test.click(undoActionId, runId)]);
    await eventually(() => expect(test.slack.responses).toHaveLength(1));
    expect(String(test.slack.responses[0]?.text)).toContain('began a moment ago');
    expect(requests()).toHaveLength(2);
  });

  it.each([
    ['what helped', { effect: 'confirmed' as const }, true],
    ['what never began', { outcome: 'not-begun' as const }, true],
    ['what cannot be undone', {}, false],
  ])('does nothing about %s', async (_what, action, undo) => {
    acted(action, undo);
    await test.click(undoActionId, runId);
    await eventually(() => expect(test.slack.responses).toHaveLength(1));
    expect(String(test.slack.responses[0]?.text)).toContain('nothing to undo');
    expect(requests()).toHaveLength(1);
  });

  it('is denied to those who may not ask for it', async () => {
    acted({});
    test.fleet = askingFleet(askingAccess.slice(1));
    await test.click(undoActionId, runId, 'UBEN');
    await eventually(() => expect(test.slack.responses).toHaveLength(1));
    expect(String(test.slack.responses[0]?.text)).toContain('You may not ask for actions');
    expect(requests()).toHaveLength(1);
  });
});
