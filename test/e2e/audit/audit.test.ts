import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page, PageScreenshotOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reasonActionId, reasonBlockId } from '../../../src/bot/views/reason-modal.ts';
import type { Run } from '../../../src/fleet/run.ts';
import { tracesPage } from '../../../src/telemetry/link-to.ts';
import { answersOf, letModelHang } from '../../support/edge-machines/model-folder.ts';
import type { AnsweredTokens } from '../../support/stub-model.ts';
import { approvers, requester } from '../approvals/parts/people.ts';
import { Window } from '../approvals/parts/window.ts';
import { launchChromium } from '../parts/chromium.ts';
import { eventually, patienceMs } from '../parts/eventually.ts';
import { everythingInRedis, everythingUnder } from '../parts/everything.ts';
import { foundTraces, type StoredSpan, type StoredTrace, storedTrace } from '../parts/mlflow-traces.ts';
import { type AuditFleet, startAuditFleet } from './parts/audit-fleet.ts';
import { forge, forgedCall } from './parts/forge.ts';
import { names, other, secretFile } from './parts/rules.ts';
import { besideSecrets, everythingOnMachine, leaveSecrets, secrets } from './parts/secrets.ts';
import { sumsInMlflow, sumsOf } from './parts/sums.ts';
import { expectWhole, machineSpansOf, stepsOf, wasCutOff } from './parts/whole-trace.ts';

const [asked, unasked] = names;
const [sam = ''] = approvers;
const patience = { timeout: patienceMs };
const out = join(import.meta.dirname, '../out');
const committedPictures = join(import.meta.dirname, '../../../deploy/pictures');

let fleet: AuditFleet;
/** A check that the agent looked into, a change that was approved, one that was denied, and another person's check. */
let checked: Run;
let changed: Run;
let denied: Run;
let others: Run;

beforeAll(async () => {
  mkdirSync(out, { recursive: true });
  fleet = await startAuditFleet();
  for (const name of names) leaveSecrets(fleet.machine(name));
  const check = await fleet.centre.sre.ask(`check ${asked} log-level`);
  changed = await fleet.approved(`run ${unasked} set-level level=debug`);
  others = (await (await fleet.as(other).ask(`check ${unasked} temperature`)).ended()).run;
  denied = await deny(`run ${unasked} wipe-readings`);
  checked = await fleet.endOf(check);
  await check.ended();
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

const idOf = (run: Run) => `tr-${run.trace.traceId}`;

async function deny(words: string): Promise<Run> {
  const question = await fleet.question(words);
  await question.click([sam], 'deny');
  const id = (await question.run()).approval?.question.id ?? '';
  await giveReason(sam, id, `not on a Friday, password=${secrets['a password in the reason of a denial']}`);
  return (await question.ended()).run;
}

/** Fills in and sends the window that a click of this person has opened about this record. */
async function giveReason(person: string, about: string, reason: string): Promise<void> {
  const window = new Window(fleet.centre.slackUrl);
  await eventually(async () => expect(await window.carries()).toBe(about));
  await window.submit(person, { blockId: reasonBlockId, actionId: reasonActionId }, reason);
}

/** The run to which a question leads, and what the model server counted of it. `meanwhile` begins with the question. */
async function counted(
  words: string,
  meanwhile: (run: string) => Promise<void> = async () => {},
): Promise<{ run: Run; answers: readonly AnsweredTokens[] }> {
  const before = answersOf(fleet.machine(asked)).length;
  const answer = await fleet.centre.sre.ask(words);
  await meanwhile(answer.id);
  await fleet.endOf(answer);
  const { run } = await answer.ended();
  return { run, answers: answersOf(fleet.machine(asked)).slice(before) };
}

/** Waits until MLflow holds the whole trace with the sums that the model server counted. */
function expectInMlflow(run: Run, answers: readonly AnsweredTokens[]): Promise<StoredTrace> {
  expect(answers.length).toBeGreaterThan(0);
  return eventually(async () => {
    const trace = await fleet.traceOf(run);
    expectWhole(trace, run);
    expect(sumsInMlflow(trace)).toEqual(sumsOf(answers));
    return trace;
  });
}

describe('the trace of a check on a real machine', () => {
  let trace: StoredTrace;

  beforeAll(async () => {
    trace = await expectInMlflow(checked, answersOf(fleet.machine(asked)));
  });

  it('holds every step where and when it was, from the request to the end', () => {
    expect(trace.state).toBe('OK');
    expect(stepsOf(trace)).toEqual(
      [
        'undefined > message.processed',
        'message.processed > message.queued',
        'message.processed > evidence',
        'evidence > tool.execution',
        'evidence > judgement',
        'message.processed > agent.start',
        'message.processed > agent.ready',
        'message.processed > agent.task',
        'agent.task > agent.run',
        'agent.run > model.inference',
        'agent.run > tool.execution',
        'agent.run > model.inference',
        'message.processed > agent.stop',
        'message.processed > run.completed',
      ].toSorted(),
    );
  });

  it("holds the machine's own calls, with arguments, result, exit code and where it is deployed", () => {
    const spans = machineSpansOf(trace);
    expect(spans.map(({ name }) => name).toSorted()).toEqual([
      'agent.run',
      'model.inference',
      'model.inference',
      'tool.execution',
    ]);
    const [call] = spans.filter(({ name }) => name === 'tool.execution');
    expect(call?.attributes).toMatchObject({
      'host.name': asked,
      'deployment.environment': 'edge',
      'gen_ai.tool.call.arguments': 'on-host uname -srm',
      'gen_ai.tool.call.result': expect.stringMatching(/^Linux /),
      'process.exit.code': 0,
    });
  });

  it('has the tags, the person and the session by which it is found', () => {
    expect(trace.tags).toMatchObject({
      ...{ 'fleet.task': 'check', 'fleet.check': 'log-level', 'fleet.verdict': 'ok' },
      ...{ 'fleet.host': asked, 'fleet.inertness': 'inactive', 'deployment.environment': 'edge' },
    });
    expect(trace.trace_metadata).toMatchObject({ 'mlflow.trace.user': requester });
  });
});

describe('the trace of an approved change', () => {
  it('holds who decided, what was signed, what ran, and what was measured before and after', async () => {
    const trace = await fleet.traceOf(changed);
    expectWhole(trace, changed);
    const steps = stepsOf(trace);
    for (const step of [
      ...['approval', 'action.sign', 'action', 'action.verify', 'run.completed'].map(
        (name) => `message.processed > ${name}`,
      ),
      ...['approval > approval.vote', 'evidence > judgement', 'action.verify > judgement'],
    ])
      expect(steps).toContain(step);
    const named = (name: string) => trace.spans.find((span) => span.name === name)?.attributes;
    expect(named('approval')).toMatchObject({
      ...{ 'fleet.state': 'approved', 'fleet.requested_by': requester, 'fleet.approved_by': sam },
      'mlflow.spanInputs': expect.stringContaining('set-level level=debug'),
    });
    expect(named('action')).toMatchObject({
      'gen_ai.tool.call.arguments': expect.stringMatching(/^sed --in-place .*level = debug/),
      ...{ 'process.exit.code': 0, 'fleet.outcome': 'done', 'fleet.approved_by': sam },
      'host.name': unasked,
    });
  });

  it('of a denied one holds who said no, and why', async () => {
    const trace = await fleet.traceOf(denied);
    expectWhole(trace, denied);
    expect(trace.spans.map(({ name }) => name)).not.toContain('action');
    expect(trace.spans.find(({ name }) => name === 'approval')?.attributes).toMatchObject({
      ...{ 'fleet.state': 'denied', 'fleet.denied_by': sam },
      'mlflow.spanOutputs': expect.stringContaining('not on a Friday'),
    });
  });
});

describe('MLflow finds', () => {
  const found = (filter: string) => foundTraces(fleet.mlflow.url, filter);
  const ids = (...runs: readonly Run[]) => runs.map(idOf);

  it.each([
    ['a machine', () => `tag.\`fleet.machine\` = '${asked}'`, () => ids(checked)],
    ['a person', () => `metadata.\`mlflow.trace.user\` = '${other}'`, () => ids(others)],
    ['a verdict', () => "tag.`fleet.verdict` = 'critical'", () => ids(changed)],
    ['the text of a command', () => "trace.text LIKE '%sed --in-place%'", () => ids(changed)],
    ["the text of an agent's command", () => "trace.text LIKE '%on-host uname -srm%'", () => ids(checked)],
    ['what was told from the edge', () => "tag.`deployment.environment` = 'edge'", () => ids(checked)],
  ])('exactly that by %s', async (_by, filter, expected) => {
    expect(await found(filter())).toEqual(expected());
  });
});

describe('in the browser', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  });

  afterAll(() => browser?.close());

  async function takePicture(name: string, clip?: PageScreenshotOptions['clip']): Promise<void> {
    await page.screenshot({ path: join(out, name), ...(clip && { clip }) });
    if (process.env.KEEP_PICTURES) copyFileSync(join(out, name), join(committedPictures, name));
  }

  it('the link in Slack opens the trace, with what the agent ran', async () => {
    await page.goto(await fleet.linkIn(`run:${checked.id}:main`));
    for (const name of ['message.processed', 'agent.run', 'model.inference'])
      await page.getByText(name).first().waitFor(patience);
    await page.getByText('tool.execution').last().click();
    await page.getByText('on-host uname -srm').first().waitFor(patience);
    await takePicture('trace.png', { x: 0, y: 0, width: 980, height: 780 });
  });

  it('the list of a machine holds its traces and no others', async () => {
    const pages = { publicUrl: fleet.mlflow.url, experimentId: '0' };
    await page.goto('about:blank');
    await page.goto(tracesPage(pages, { tag: `fleet.machine=${unasked}` }));
    for (const words of ['run set-level level=debug', 'check temperature'])
      await page.getByText(`${words} on ${unasked}`).first().waitFor(patience);
    expect(await page.getByText(`on ${asked}`).count()).toBe(0);
  });

  it('the list of the fleet holds all of them', async () => {
    await page.goto('about:blank');
    await page.goto(tracesPage({ publicUrl: fleet.mlflow.url, experimentId: '0' }));
    for (const words of [`check log-level on ${asked}`, `run wipe-readings on ${unasked}`])
      await page.getByText(words).first().waitFor(patience);
    // What MLflow tells of itself stands over the list.
    await page.getByRole('button', { name: 'Got it' }).click();
    await page
      .locator('xpath=//*[text()="MLflow Assistant"]/ancestor::*[.//button][1]//button')
      .last()
      .click();
    await takePicture('fleet-traces.png', { x: 0, y: 0, width: 1400, height: 480 });
  });
});

describe('a machine that claims the name of another', () => {
  it('is stamped with its own, and can neither make nor mark a trace', async () => {
    const { traceId, rootSpanId: parentSpanId } = others.trace;
    expect(await forge(fleet, unasked, { traceId, parentSpanId }, asked)).toBe(200);
    const isForged = ({ attributes }: StoredSpan) => attributes['gen_ai.tool.call.arguments'] === forgedCall;
    const trace = await eventually(async () => {
      const stored = await fleet.traceOf(others);
      expect(stored.spans.filter(isForged)).toHaveLength(1);
      return stored;
    });
    expect(trace.spans.find(isForged)).toMatchObject({
      name: 'tool.execution',
      attributes: { 'host.name': unasked, 'deployment.environment': 'edge' },
    });
    expect(trace.spans.filter(({ parentId }) => parentId === undefined)).toHaveLength(1);
    expect(trace.tags).toMatchObject({
      ...{ 'fleet.machine': unasked, 'host.name': unasked },
      'fleet.verdict': others.verdict,
    });
    expect(trace.trace_metadata).toMatchObject({ 'mlflow.trace.user': other });
  });
});

describe('what people say of an answer', () => {
  it('is an assessment of its trace, with reason and name', async () => {
    const answer = fleet.centre.sre.answer(checked.id);
    await answer.click('feedback-bad');
    const reason = `too short, password=${secrets['a password in the reason of a rating']}`;
    await giveReason(requester, checked.id, reason);
    await eventually(async () => {
      const { assessments } = await storedTrace(fleet.mlflow.url, idOf(checked));
      expect(assessments).toMatchObject([
        {
          assessment_name: 'operator_rating',
          ...{ source: { source_type: 'HUMAN', source_id: requester }, feedback: { value: false } },
          rationale: expect.stringContaining('too short'),
        },
      ]);
    });
  });

  it('counts with their last word', async () => {
    await fleet.centre.sre.answer(checked.id).click('feedback-good');
    await giveReason(requester, checked.id, 'on second thoughts it is fine');
    await eventually(async () => {
      const { assessments } = await storedTrace(fleet.mlflow.url, idOf(checked));
      expect(assessments.filter(({ valid }) => valid)).toMatchObject([
        { assessment_name: 'operator_rating', feedback: { value: true } },
      ]);
    });
  });

  it.each([
    ['an approval', () => changed, 'approved', undefined],
    ['a denial', () => denied, 'denied', 'not on a Friday'],
  ])('so is %s', async (_what, run, value, reason) => {
    await eventually(async () => {
      const { assessments } = await storedTrace(fleet.mlflow.url, idOf(run()));
      expect(assessments).toMatchObject([
        {
          assessment_name: 'approval',
          ...{ source: { source_type: 'HUMAN', source_id: sam }, feedback: { value } },
          ...(reason !== undefined && { rationale: expect.stringContaining(reason) }),
        },
      ]);
    });
  });
});

describe('nothing is lost and nothing counts twice', () => {
  afterEach(() => {
    fleet.mlflow.door.refusal = undefined;
  });

  it('when MLflow was killed and started again', async () => {
    await fleet.mlflow.kill();
    const question = `what is set? password=${secrets['a password in a question']}`;
    const { run, answers } = await counted(
      `ask ${asked} MODE:reads ${question} RUN: on-host cat ${secretFile}`,
    );
    expect(run.diagnosis?.comment).toContain(besideSecrets);
    await fleet.mlflow.start();
    await expectInMlflow(run, answers);
  });

  it('when the collector was killed, and everything that it keeps is sent again', async () => {
    const before = await fleet.traceOf(checked);
    await fleet.central.kill();
    await fleet.central.start();
    const told = await fleet.fleetbot(['traces', 'replay', fleet.central.copyFolder]);
    expect(told).toMatch(/there already/);
    await fleet.deliverAgain();
    const after = await fleet.traceOf(checked);
    expect(stepsOf(after)).toEqual(stepsOf(before));
    expect(sumsInMlflow(after)).toEqual(sumsInMlflow(before));
  });

  it('when MLflow refused for a while: it is told, and what it refused is sent again', async () => {
    const { door } = fleet.mlflow;
    door.refusal = 401;
    const { run, answers } = await counted(`ask ${asked} MODE:tool which kernel is this?`);
    await eventually(async () => expect(await fleet.metric('fleetbot_spans_waiting')).toBeGreaterThan(0));
    await eventually(() => expect(fleet.centre.fleetbotLog()).toMatch(/other credentials \(401\)/));
    door.refusal = 422;
    await eventually(async () =>
      expect(await fleet.metric('fleetbot_spans_refused_total')).toBeGreaterThan(0),
    );
    door.refusal = undefined;
    const kept = [fleet.central.copyFolder, fleet.spansFolder];
    await eventually(async () => {
      await fleet.fleetbot(['traces', 'replay', ...kept]);
      await storedTrace(fleet.mlflow.url, idOf(run));
    });
    await expectInMlflow(run, answers);
  });

  it('when a worker was killed in the middle of the task', async () => {
    const machine = fleet.machine(asked);
    letModelHang(machine, true);
    const { run, answers } = await counted(`ask ${asked} MODE:tool which kernel is this?`, async (id) => {
      const answer = fleet.centre.sre.answer(id);
      await fleet.runThat(answer, ({ state }) => expect(state).toBe('tasking'));
      await fleet.centre.killFleetbot();
      await fleet.centre.startFleetbot();
      await fleet.runThat(answer, ({ diagnosis }) => expect(diagnosis?.activations).toBe(2));
      letModelHang(machine, false);
    });
    const trace = await expectInMlflow(run, answers);
    expect(trace.spans.filter(({ name }) => name === 'agent.start')).toHaveLength(2);
    expect(trace.spans.filter(wasCutOff).map(({ name }) => name)).toContain('agent.task');
  });
});

describe('people read in Slack', () => {
  it('what was used and what it cost, as the model servers counted it', async () => {
    const told = await fleet.centre.sre.askAside('cost all 1d');
    const { inputTokens, outputTokens, costUsd } = sumsOf(fleet.answers());
    expect(told).toContain(costUsd.toFixed(2));
    for (const tokens of [inputTokens, outputTokens]) expect(told).toContain(tokens.toLocaleString('en'));
  });

  it('who did what, when, where, with what result, and who approved it', async () => {
    const told = await fleet.centre.sre.askAside(`audit ${unasked} 24h`);
    for (const words of [requester, other, sam].map((id) => `<@${id}>`)) expect(told).toContain(words);
    for (const words of [unasked, 'set-level', 'not on a Friday']) expect(told).toContain(words);
    for (const run of [changed, denied, others]) expect(told).toContain(idOf(run));
    expect(told).not.toContain(idOf(checked));
  });
});

describe('secrets', () => {
  it('are nowhere: not in MLflow, Slack, logs, Redis, ledger, spool, copies, nor on the machine beyond their file', async () => {
    const check = await fleet.runOf(`check ${unasked} settings`);
    await fleet.traceOf(check);
    const messages = JSON.stringify(await fleet.centre.sre.messages());
    // With each place what shows that it was looked at, and that the secrets would be there.
    const places: Readonly<Record<string, readonly [Buffer, string]>> = {
      'the messages in Slack': [Buffer.from(messages), besideSecrets],
      Redis: [await everythingInRedis(fleet.centre.redis.url), besideSecrets],
      'MLflow, its database and its log': [everythingUnder([fleet.mlflow.folder]), besideSecrets],
      'the central collector, its copy and its log': [everythingUnder([fleet.central.folder]), besideSecrets],
      'all folders of the centre': [everythingUnder(fleet.folders), besideSecrets],
      'the ledger': [readFileSync(fleet.ledgerFile), 'not on a Friday'],
      'the machine with the agent': [await everythingOnMachine(fleet.machine(asked)), besideSecrets],
      'the other machine': [await everythingOnMachine(fleet.machine(unasked)), secretFile],
    };
    for (const [place, [content, shown]] of Object.entries(places)) {
      for (const [what, secret] of Object.entries(secrets))
        expect(`${what}: ${content.includes(secret) ? `in ${place}` : 'nowhere'}`).toBe(`${what}: nowhere`);
      expect(`${place}: ${content.includes(shown)}`).toBe(`${place}: true`);
    }
  });
});
