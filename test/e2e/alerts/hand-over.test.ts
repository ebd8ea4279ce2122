import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { takeActionId } from '../../../src/bot/action-ids.ts';
import type { HandOver } from '../../../src/fleet/hand-over.ts';
import { newApprovalKeys } from '../../../src/sandbox/approval-keys.ts';
import { messageText, Person, type SlackMessage } from '../../../src/sandbox/person.ts';
import { workspace } from '../../../src/sandbox/workspace.ts';
import { PagerServer, silence } from '../../support/pager-server.ts';
import { Question } from '../approvals/parts/question.ts';
import { eventually } from '../parts/eventually.ts';
import { type Harness, startHarness } from '../parts/harness.ts';

const { approver, channel, sre, visitor } = workspace;
const name = 'web-01';
const onCall = visitor.id;
const approvals = { onCall: [onCall, 'pager:primary'], handOverMinutes: 0.05 };

let folder: string;
let pager: PagerServer;
let harness: Harness;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fleetbot-on-call-'));
  pager = await PagerServer.start();
  const pagersFile = join(folder, 'pagers.yaml');
  writeFileSync(
    pagersFile,
    stringify({ primary: { kind: 'pagerduty', routingKey: 'R0123456789', url: pager.url } }),
  );
  harness = await startHarness(
    [
      {
        name,
        entry: {
          agent: { diagnose: 'never' },
          customChecks: {
            temperature: {
              summary: 'Temperature of the cupboard',
              command: ['echo', '71'],
              number: { pattern: '^(\\d+)', unit: '°C', criticalAbove: 60 },
            },
          },
        },
      },
    ],
    {
      pagersFile,
      approvalKeys: await newApprovalKeys(folder),
      fleet: {
        approvals,
        access: [
          { people: [sre.id], machines: 'all', verbs: 'all' },
          { people: [approver.id], machines: 'all', verbs: ['view', 'approve'] },
        ],
      },
    },
  );
});
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await pager?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  pager.paged.length = 0;
});

/** A critical finding for which there is no action: people are asked whether to escalate it. */
async function critical(): Promise<{ question: Question; handOverId: string }> {
  const { id } = await harness.sre.ask(`check ${name} temperature`);
  return {
    question: new Question(id, harness.slackUrl, harness.queue),
    handOverId: `o-${id.slice(2)}`,
  };
}

function reaches(id: string, state: HandOver['state']): Promise<HandOver> {
  return eventually(async () => {
    const handOver = await harness.queue.handOvers.handOver(id);
    if (handOver?.state !== state) throw new Error(`it is ${handOver?.state}`);
    return handOver;
  });
}

/** The messages of a hand-over of this name. */
async function shown(id: string, part: string): Promise<SlackMessage[]> {
  const messages = await new Person(harness.slackUrl, onCall).messages(channel.id);
  return messages.filter(({ blocks }) =>
    blocks.some(({ block_id: block }) => block === `hand-over:${id}:${part}`),
  );
}

/** How far a hand-over is, as the channel shows it. */
const mainOf = async (id: string) => (await shown(id, 'main')).map(messageText).join();

describe('an escalation', () => {
  it('that people approve calls one after the other, with the thread’s link, until somebody has it', async () => {
    const { question, handOverId } = await critical();
    expect(await question.asked()).toContain(`goes to \`${onCall}\`, then pager \`primary\``);
    await question.click([approver.id], 'approve');
    await reaches(handOverId, 'delivered');

    const [call, ...more] = await eventually(async () => {
      const calls = await shown(handOverId, 'call:0');
      expect(calls).not.toEqual([]);
      return calls;
    });
    expect(more).toEqual([]);
    expect(call && messageText(call)).toMatch(new RegExp(`Escalated to <@${onCall}>: \\*${name}\\*.*71 °C`));
    expect(pager.paged.map(({ body }) => body)).toMatchObject([
      {
        event_action: 'trigger',
        dedup_key: handOverId,
        client_url: expect.stringMatching(
          new RegExp(`/archives/${channel.id}/p${call?.thread_ts?.replace('.', '')}$`),
        ),
        payload: { source: name, component: 'check temperature', severity: 'critical' },
      },
    ]);

    if (call === undefined) throw new Error('nobody was called');
    await new Person(harness.slackUrl, onCall).click(channel.id, call, takeActionId);
    const taken = await reaches(handOverId, 'taken');
    expect(taken.takenBy?.by.userId).toBe(onCall);
    await eventually(async () => {
      for (const part of ['main', 'call:0']) {
        expect((await shown(handOverId, part)).map(messageText).join()).toContain(`<@${onCall}> has it*`);
      }
    });

    // Somebody has it: the same trouble asks and calls nobody again.
    const { question: again } = await critical();
    await eventually(async () =>
      expect(await harness.queue.requests.run(again.runId)).toMatchObject({
        ...{ state: 'done', verdict: 'critical' },
        askedBefore: { kind: 'hand-over', handOver: handOverId },
      }),
    );
    expect(pager.paged).toHaveLength(1);
  });

  it('that nobody decides is handed over too, and a pager pages once, whatever is killed meanwhile', async () => {
    const soon = { ...approvals, expireMinutes: 0.05, remindMinutes: 0.05, escalateAgainMinutes: 0.001 };
    harness.writeFleet(stringify({ ...harness.fleet, approvals: soon }));
    await eventually(() => expect(harness.fleetbotLog()).toContain('a new fleet file is in force'));
    pager.answers.push(silence);
    const { question, handOverId } = await critical();
    await eventually(() => expect(pager.paged).toHaveLength(1));
    // What is being posted when it is killed waits for the end of its lease.
    await eventually(async () => expect(await mainOf(handOverId)).toContain('is being called since'));
    await harness.killFleetbot();
    expect(await harness.queue.handOvers.handOver(handOverId)).toMatchObject({
      because: 'expired',
      state: 'calling',
      calls: [{ target: 0 }, { target: 1 }],
    });
    await harness.startFleetbot();
    await reaches(handOverId, 'delivered');
    expect(pager.paged).toHaveLength(2);
    expect(pager.incidents).toEqual([handOverId]);
    await question.says(/So those on call are called, one after the other/);
    await eventually(async () => expect(await mainOf(handOverId)).toContain('*A pager took it*'));
    expect(await shown(handOverId, 'call:0')).toHaveLength(1);
  });
});
