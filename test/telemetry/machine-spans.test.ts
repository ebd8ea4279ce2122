import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { agentSpanNames, machineSpans } from '../../src/telemetry/machine-spans.ts';
import { sampleRun } from '../support/sample-run.ts';

/** An MLflow that answers each question for a trace with the next of these spans, and the last one ever after. */
async function startMlflow(...answers: (readonly object[])[]) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const spans = answers[Math.min(asked.push(request.url ?? ''), answers.length) - 1];
    response.end(JSON.stringify({ trace: { trace_info: {}, spans } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  const trackingUri = `http://127.0.0.1:${address.port}/`;
  return { asked, target: { trackingUri, publicUrl: trackingUri, experimentId: '1' } };
}

const going = new AbortController().signal;
const run = sampleRun('r-1', 'tasking');
const spanOf = (name: string, attributes: Readonly<Record<string, string>>) => ({
  ...{ span_id: 'F5oEUhFnuEE=', name },
  attributes: Object.entries(attributes).map(([key, text]) => ({ key, value: { string_value: text } })),
});
const own = agentSpanNames.map((name) =>
  spanOf(name, { 'host.name': run.request.machine, 'deployment.environment.name': 'edge' }),
);

it('waits for all that the machine itself sends, and takes nothing else for it', async () => {
  const foreign = [
    spanOf('broker.command', { 'host.name': run.request.machine }),
    spanOf('model.inference', { 'host.name': 'web-99', 'deployment.environment.name': 'edge' }),
  ];
  const { asked, target } = await startMlflow(foreign, [...foreign, ...own.slice(1)], [...foreign, ...own]);
  expect(await machineSpans(target, run, going)).toEqual([...agentSpanNames]);
  expect(asked[0]).toContain(run.trace.traceId);
  expect(asked).toHaveLength(3);
});

it('says in the end that none came, and where to look', async () => {
  const { target } = await startMlflow([]);
  await expect(machineSpans(target, run, going, 50)).rejects.toThrow(
    /holds no agent\.run, no model\.inference.*fleetbot-collector/s,
  );
});

it('ends at once when it is broken off', async () => {
  const { target } = await startMlflow([]);
  const broken = AbortSignal.abort(new Error('Ctrl-C'));
  await expect(machineSpans(target, run, broken)).rejects.toThrow('Ctrl-C');
});
