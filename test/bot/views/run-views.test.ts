import { describe, expect, it } from 'vitest';
import { campaignEntryView } from '../../../src/bot/views/campaign-entry.ts';
import { campaignMainView } from '../../../src/bot/views/campaign-main.ts';
import { noticeView } from '../../../src/bot/views/notice.ts';
import { runDiagnosisView } from '../../../src/bot/views/run-diagnosis.ts';
import { runMainView } from '../../../src/bot/views/run-main.ts';
import { runVerdictView } from '../../../src/bot/views/run-verdict.ts';
import { explainFailure } from '../../../src/fleet/explain-error.ts';
import { type Diagnosis, type Run, runStates } from '../../../src/fleet/run.ts';
import { sampleApproval } from '../../support/sample-question.ts';
import { diagnosed, judged, noDetails, sampleCampaign, sampleRun } from '../../support/sample-run.ts';

const traceLink = { url: 'https://mlflow.example/trace' };
const main = (run: Run, link: Parameters<typeof runMainView>[1]['traceLink'] = traceLink) => {
  const view = runMainView(run, { traceLink: link });
  const buttons = view.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
  return {
    id: view.blocks[0]?.block_id,
    text: JSON.stringify(view.blocks),
    buttons: buttons.flatMap((element) => (element.type === 'button' ? [element.text.text] : [])),
  };
};

describe("a run's main message", () => {
  it('carries the id by which recovery finds it, in every state', () => {
    for (const state of runStates) expect(main(sampleRun('r-7', state)).id).toBe('run:r-7:main');
  });

  it('says where people were asked the same before, and who has it', () => {
    const question = { kind: 'question', run: 'r-6', approval: 'a-6' } as const;
    const text = (askedBefore: Run['askedBefore']) =>
      main({ ...sampleRun('r-7', 'done'), ...(askedBefore && { askedBefore }) }).text;
    expect(text(question)).toContain('people are asked already, in run `r-6`: decide it there (`a-6`)');
    const takenBy = { kind: 'person', userId: 'U0BEA', teamId: 'T1' } as const;
    const called = { kind: 'hand-over', handOver: 'o-6', at: 0, takenBy } as const;
    expect(text(called)).toContain(
      'people on call were called already at 1970-01-01 00:00:00 UTC (`o-6`), taken by <@U0BEA>',
    );
  });

  it('says once it is done what its agent cost, or that this is not known', () => {
    const diagnosis = { activations: 1, toolCalls: [], contradictions: [] };
    const text = (changes: Partial<Run>) => main(sampleRun('r-7', 'done', changes)).text;
    expect(text({ diagnosis: { ...diagnosis, costUsd: 0.0042 } })).toContain(' · $0.0042 · `r-7`');
    expect(text({ diagnosis })).toContain(' · cost unknown · `r-7`');
    expect(text({})).not.toMatch(/\$|cost/);
  });

  it('says who asked what of which machine', () => {
    const { text } = main(sampleRun('r-7', 'queued'));
    expect(text).toContain('queued');
    expect(text).toContain('*web-01* · check disk');
    expect(text).toContain('<@U0ANN>');
  });

  it('puts the verdict and the worst numbers first while the agent is still at work', () => {
    const { text } = main(sampleRun('r-7', 'tasking', judged));
    expect(text).toMatch(
      /:red_circle: \*critical\* · \*web-01\* · check disk\\n\/var is 93% full.*looking deeper/,
    );
    expect(text).not.toContain('/ is 20% full');
  });

  it('shows the fullest of a run that is ok', () => {
    const full = (subject: string, value: number) =>
      ({
        severity: 'ok',
        subject,
        text: `${subject} is ${value}% full`,
        output: 0,
        measure: { value, unit: '%' },
      }) as const;
    const findings = [full('/a', 10), full('/b', 70), full('/c', 30)];
    expect(main(sampleRun('r-7', 'done', { findings, verdict: 'ok' })).text).toContain(
      '/b is 70% full · /c is 30%',
    );
  });

  it('says how long it took, once it is done', () => {
    expect(main(sampleRun('r-7', 'done', judged)).text).toContain('took 5.0 s');
    expect(main(sampleRun('r-7', 'stopping', judged)).text).not.toContain('took');
  });

  it('offers Cancel until it is done or cancelled, then Run again', () => {
    const cancellation = { userId: 'U0BEN', at: Date.parse('2026-11-22T10:00:05Z') };
    expect(main(sampleRun('r-7', 'tasking')).buttons).toEqual(['Cancel', 'Open trace']);
    expect(main(sampleRun('r-7', 'tasking', { cancellation })).buttons).toEqual(['Open trace']);
    expect(main(sampleRun('r-7', 'done', { cancellation, verdict: 'cancelled' })).buttons).toEqual([
      'Run again',
      'Open trace',
    ]);
  });

  it('asks what people think of an answer once there is one', () => {
    const asked = ['Run again', 'Open trace', '👍 Good', '👎 Bad'];
    const unasked = ['Run again', 'Open trace'];
    const cancelled = { verdict: 'cancelled' } as const;
    const heldBack = { moment: 'run', kind: 'silenced', reason: 'silenced' } as const;
    expect(main(sampleRun('r-7', 'done', judged)).buttons).toEqual(asked);
    expect(main(sampleRun('r-7', 'done', { ...diagnosed, ...cancelled })).buttons).toEqual(asked);
    expect(main(sampleRun('r-7', 'done', { verdict: 'ok', withheld: heldBack })).buttons).toEqual(unasked);
    expect(main(sampleRun('r-7', 'stopping', judged)).buttons).not.toContain('👍 Good');
    const entry = campaignEntryView(sampleRun('r-7', 'done', judged), { traceLink });
    expect(JSON.stringify(entry.blocks)).toContain('👎 Bad');
  });

  it('names who cancelled, and when', () => {
    const cancellation = { userId: 'U0BEN', at: Date.parse('2026-11-22T10:00:05Z') };
    const { text } = main(sampleRun('r-7', 'done', { cancellation, verdict: 'cancelled' }));
    expect(text).toContain('cancelled by <@U0BEN> at 2026-11-22 10:00:05 UTC');
  });

  it('does not call cancelled what came to its own end before the wish reached it', () => {
    const cancellation = { userId: 'U0BEN', at: Date.parse('2026-11-22T10:00:05Z') };
    const { text } = main(sampleRun('r-7', 'done', { ...judged, cancellation }));
    expect(text).toContain('cancellation asked for by <@U0BEN>');
  });

  it('says whether the diagnosis was ended by the cancellation', () => {
    const cancellation = { userId: 'U0BEN', at: Date.parse('2026-11-22T10:00:05Z') };
    const { comment: _comment, ...unanswered } = diagnosed.diagnosis;
    const ended = { ...judged, cancellation, diagnosis: unanswered };
    const words = 'diagnosis ended by cancellation';
    expect(main(sampleRun('r-7', 'done', ended)).text).toContain(words);
    expect(main(sampleRun('r-7', 'stopping', ended)).text).not.toContain(words);
    const answered = main(sampleRun('r-7', 'done', { ...judged, ...diagnosed, cancellation })).text;
    expect(answered).not.toContain(words);
    expect(answered).toContain('the agent had answered before');
  });

  it('shows the first lines of the answer to a question, as the words of the agent', () => {
    const asked = sampleRun('r-7', 'done', { ...diagnosed, verdict: 'answered' });
    const request = { ...asked.request, task: { kind: 'ask', question: 'why?' } } as const;
    const short = main({ ...asked, request }).text;
    expect(short).toContain("The agent's own words:\\n> Old kernels fill /var.\\n> Remove them.");
    const comment = Array.from({ length: 30 }, (_, index) => `line ${index}.`).join('\n');
    const long = main({ ...asked, request, diagnosis: { ...diagnosed.diagnosis, comment } }).text;
    expect(long).toContain('> line 4.\\n> …');
    expect(long).not.toContain('line 5.');
  });

  it.each([
    ['unreachable', 'web-01 cannot be reached over SSH at 192.0.2.7:22 (connect ECONNREFUSED). Check it.'],
    ['host-key-changed', 'web-01 showed another host key: SHA256:abc instead of SHA256:def.'],
  ])('tells of a machine that is %s what it means and the cause, in a thread too', (code, message) => {
    const run = sampleRun('r-7', 'done', { verdict: 'inconclusive', failure: { code, message } });
    const entry = JSON.stringify(campaignEntryView(run, { traceLink }).blocks);
    for (const text of [main(run).text, entry]) {
      expect(text).toContain(explainFailure({ code, message }).slice(0, 40));
      expect(text).toContain(message.slice(0, 60));
    }
  });

  it('keeps what went wrong inside the bot out of the channel', () => {
    const failure = { code: 'internal', message: 'TypeError: x is undefined' };
    expect(main(sampleRun('r-7', 'done', { verdict: 'failed', failure })).text).not.toContain('TypeError');
  });

  it('says why there is no trace instead of offering a dead button', () => {
    const { buttons, text } = main(sampleRun('r-7', 'done'), { missing: 'MLflow is not configured' });
    expect(buttons).not.toContain('Open trace');
    expect(text).toContain('no trace link: MLflow is not configured');
  });

  it.each([
    ['never-started', 'agent not started'],
    ['inactive', 'agent measured inactive'],
    ['unknown', 'INERTNESS UNKNOWN'],
  ] as const)('says of an agent that is %s: %s', (inertness, words) => {
    expect(main(sampleRun('r-7', 'done', { ...judged, inertness })).text).toContain(words);
    expect(main(sampleRun('r-7', 'tasking', { ...judged, inertness })).text).not.toContain(words);
  });

  it('stays the same while the record does, so that it costs no edit', () => {
    const run = sampleRun('r-7', 'tasking', judged);
    expect(runMainView(run, { traceLink })).toEqual(runMainView(structuredClone(run), { traceLink }));
  });
});

describe('the verdict in the thread', () => {
  it('names what a finding is about once, and has one format for moments', () => {
    const text = JSON.stringify(runVerdictView(sampleRun('r-7', 'done', judged))?.view.blocks);
    expect(text).toContain('*critical* · /var is 93% full');
    expect(text).toContain('evidence of 2026-11-22 10:00:01 UTC');
    const findings = [{ severity: 'ok', subject: 'failed units', text: 'none', output: 0 } as const];
    const other = JSON.stringify(
      runVerdictView(sampleRun('r-7', 'done', { ...judged, findings }))?.view.blocks,
    );
    expect(other).toContain('`failed units` · none');
  });

  it('shows the worst finding first, with the command, its exit code and the lines that count', () => {
    const found = runVerdictView(sampleRun('r-7', 'done', judged));
    const text = JSON.stringify(found?.view.blocks);
    expect(text.indexOf('/var is 93%')).toBeLessThan(text.indexOf('/ is 20%'));
    expect(text).toContain('rests on `df -P -T`, exit code 0');
    expect(text).toMatch(/`Filesystem[^`]*`\\n`\/dev\/sda2[^`]*93%/);
    expect(found?.file).toBeUndefined();
  });

  it('comes with a file of everything when it is longer than a message', () => {
    const findings = Array.from({ length: 80 }, (_, index) => ({
      severity: 'warning' as const,
      subject: `/mnt/${index}`,
      text: `/mnt/${index} is 85% full, ${'x'.repeat(300)}`,
      output: 0,
    }));
    const found = runVerdictView(sampleRun('r-7', 'done', { ...judged, findings, verdict: 'warning' }));
    expect(JSON.stringify(found?.view.blocks)).toMatch(/\d+ more findings.* are in the file below/);
    expect(found?.file?.title).toContain('r-7');
    expect(found?.file?.content).toContain('/mnt/79 is 85% full');
    expect(found?.file?.content).toContain('$ df -P -T\n(exit code 0, 12 ms)');
  });

  it('comes with a file when an output is longer than a message, of which it shows an excerpt', () => {
    const stdout = Array.from({ length: 500 }, (_, index) => `line ${index} of many`).join('\n');
    const evidence = {
      ...judged.evidence,
      outputs: judged.evidence.outputs.map((output) => ({ ...output, stdout })),
    };
    const findings = [
      { severity: 'critical', subject: 'raid', text: 'raid: does not match', output: 0 } as const,
    ];
    const found = runVerdictView(sampleRun('r-7', 'done', { ...judged, evidence, findings }));
    expect(JSON.stringify(found?.view.blocks)).not.toContain('line 499');
    expect(found?.file?.content).toContain('line 499 of many');
  });

  it('of an action is there before people decide, and not once the outcome tells it', () => {
    const run = sampleRun('r-1', 'awaiting', { findings: judged.findings, evidence: judged.evidence });
    const task = { kind: 'act', action: 'vacuum-journal', params: {} } as const;
    const act = { ...run, request: { ...run.request, task }, approval: sampleApproval(run) };
    expect(runVerdictView(act)).toBeDefined();
    const before = { findings: judged.findings, verdict: judged.verdict };
    const action = { detail: '', stdout: '', stderr: '', outcome: 'done' as const, before };
    expect(runVerdictView({ ...act, action })).toBeUndefined();
    const { approval: _none, ...unasked } = act;
    expect(runVerdictView({ ...unasked, action: { ...action, outcome: 'not-needed' } })).toBeDefined();
  });

  it('is absent until something was found', () => {
    expect(runVerdictView(sampleRun('r-7', 'gathering'))).toBeUndefined();
  });
});

describe("the agent's part in the thread", () => {
  const view = (changes: Partial<Run>) => {
    const found = runDiagnosisView(sampleRun('r-7', 'done', { ...judged, ...diagnosed, ...changes }));
    return { text: JSON.stringify(found?.view.blocks), file: found?.file };
  };

  it('is marked as a comment and not a verdict, with tool calls, tokens and time', () => {
    const { text } = view({});
    expect(text).toContain("The agent's comment.* It is not a verdict");
    expect(text).toContain('> Old kernels fill /var.\\n> Remove them.');
    expect(text).toContain('1 tool call: `exec du -x /var` (1.2 s)');
    expect(text).toContain('1,234 tokens in, 567 out');
    expect(text).toContain('agent was up 2.0 s');
  });

  it('says in small print what it cost, or why that is not known', () => {
    const usage = { inputTokens: 12_345, outputTokens: 44, cacheReadTokens: 10_000, cacheWriteTokens: 5 };
    const costing = (changes: Partial<Diagnosis>) =>
      view({ diagnosis: { ...diagnosed.diagnosis, usage, ...changes } }).text;
    expect(costing({ costUsd: 0.0042 })).toContain(
      '12,345 tokens in (10,000 read from a cache, 5 written into one), 44 out · $0.0042 · ',
    );
    expect(costing({ costUsd: 1.5, activations: 2 })).toContain('at least $1.50 · ');
    expect(costing({ model: 'local' })).toContain('cost unknown: no price for the model · local');
  });

  it('says first and loudly where it contradicts the evidence', () => {
    const contradictions = ['It says /var is 12% full; the evidence says 93%.'];
    const { text } = view({ diagnosis: { ...diagnosed.diagnosis, contradictions } });
    expect(text.indexOf('CONTRADICTS THE EVIDENCE')).toBeLessThan(text.indexOf('Old kernels'));
    expect(text).toContain('It says /var is 12% full');
  });

  it('explains a failure, and that the verdict stands', () => {
    const failure = { code: 'agent-not-ready', message: 'The gateway did not answer.' };
    const { text } = view({ diagnosis: { activations: 1, toolCalls: [], contradictions: [], failure } });
    expect(text).toContain('The agent failed');
    expect(text).toContain('rests on the evidence alone');
    expect(text).toContain('no tool calls reported');
    expect(text).toContain('tokens not reported');
    expect(text).toContain('In detail: The gateway did not answer.');
  });

  it('says of an agent that died at its start that it ended, not that it was slow', () => {
    const message =
      'The agent of web-01 died while it was starting (unit failed). Look at the log of its unit.';
    const failure = { code: 'agent-not-ready', message };
    const { text } = view({ diagnosis: { activations: 1, toolCalls: [], contradictions: [], failure } });
    expect(text).toContain('ended before it was ready');
    expect(text).not.toContain('in time');
  });

  it('comes with a file when the comment is longer than a message', () => {
    const comment = Array.from({ length: 2_000 }, (_, index) => `line ${index}`).join('\n');
    const { file, text } = view({ diagnosis: { ...diagnosed.diagnosis, comment } });
    expect(text).toContain('more lines are in the file below');
    expect(file?.content).toContain('line 1999');
  });
});

it('no kind of line break lets the agent write outside its quotation', () => {
  const comment = 'a\u2028b\u2029c\u0085d\re\r\nf';
  const diagnosis = { ...diagnosed.diagnosis, comment };
  const found = runDiagnosisView(sampleRun('r-7', 'done', { ...judged, diagnosis }));
  const said = found?.view.blocks[1];
  expect(said?.type === 'section' && said.text?.text).toBe('> a\n> b\n> c\n> d\n> e\n> f');
});

describe("a campaign's summary", () => {
  const member = (machine: string, verdict?: string, inertnessUnknown = false) =>
    ({
      machine,
      runId: `r-${machine}`,
      inertnessUnknown,
      alike: verdict ?? '',
      state: verdict === undefined ? 'queued' : 'done',
      ...(verdict === undefined ? {} : { verdict }),
    }) as const;

  it('counts by verdict, shows progress, and names the worst machines first', () => {
    const members = [member('a', 'ok'), member('b', 'warning'), member('c', 'critical'), member('d')];
    const text = JSON.stringify(
      campaignMainView(sampleCampaign('c-1', ['a', 'b', 'c', 'd']), members, noDetails).blocks,
    );
    expect(text).toContain('3 of 4 machines done, 0 at work, 1 queued');
    expect(text).toContain(':large_green_circle: *ok* 1');
    expect(text.indexOf('*c*')).toBeLessThan(text.indexOf('*b*'));
    expect(text).not.toContain('*a*');
  });

  it('puts a machine first whose agent may still run, even if all else is well', () => {
    const members = [member('a', 'critical'), member('b', 'ok', true)];
    const text = JSON.stringify(
      campaignMainView(sampleCampaign('c-1', ['a', 'b']), members, noDetails).blocks,
    );
    expect(text.indexOf('*b*')).toBeLessThan(text.indexOf('*a*'));
    expect(text.indexOf('*b*')).toBeGreaterThan(-1);
    expect(text).toContain('INERTNESS UNKNOWN');
  });
});

describe('a notice', () => {
  it('keeps what stands in backticks as code', () => {
    const { blocks } = noticeView({ text: 'Type `/fleet show <machine>` & wait.', kind: 'info' });
    expect(JSON.stringify(blocks)).toContain('Type `/fleet show ‹machine›` &amp; wait.');
  });
});
