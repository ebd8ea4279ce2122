import { randomBytes } from 'node:crypto';
import type { AuditFleet } from './audit-fleet.ts';
import { passwordOf } from './central-collector.ts';

/** What the agent's call says that `forge` sends. */
export const forgedCall = 'a forged call';

/**
 * A machine sends, with its own password, a call of its agent and a root of a trace, both of which claim that they are
 * another machine's and say what a machine may not. Resolves with the answer's status.
 */
export async function forge(
  fleet: AuditFleet,
  machine: string,
  under: { readonly traceId: string; readonly parentSpanId: string },
  claimed: string,
): Promise<number> {
  const attributes = Object.entries({
    'host.name': claimed,
    'user.id': 'U0FORGED',
    'mlflow.traceTag.fleet.verdict': 'forged',
    'mlflow.traceTag.fleet.machine': claimed,
    'gen_ai.tool.call.arguments': forgedCall,
  }).map(([key, value]) => ({ key, value: { stringValue: value } }));
  const span = (name: string, parentSpanId: string) => ({
    ...{ name, parentSpanId, attributes, traceId: under.traceId },
    spanId: randomBytes(8).toString('hex'),
    startTimeUnixNano: `${Date.now()}000000`,
    endTimeUnixNano: `${Date.now()}000000`,
  });
  const spans = [span('tool.execution', under.parentSpanId), span('message.processed', '')];
  const body = { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] };
  const authorization = `Basic ${Buffer.from(`${machine}:${passwordOf(machine)}`).toString('base64')}`;
  const response = await fetch(`${fleet.central.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}
