import { once } from 'node:events';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { waitUntilReady } from '../src/edge-client/readiness.ts';
import { transports } from '../src/edge-client/transports/index.ts';
import { startOpenClaw } from './support/openclaw.ts';
import { startStubModel } from './support/stub-model.ts';
import { startOtlpReceiver } from './support/otlp-receiver.ts';
import { taskCall } from './support/task-call.ts';
const model = await startStubModel(); const otlp = await startOtlpReceiver();
for (const withPlugin of [false, true, false, true]) {
  const oc = await startOpenClaw(model.url, withPlugin ? { env: { FLEETBOT_OTLP_TOKEN: 'x'.repeat(20) }, plugins: { load: { paths: [resolve('edge/plugin')] }, allow: ['fleetbot'], entries: { fleetbot: { enabled: true, hooks: { allowConversationAccess: true }, config: { host: 't', endpoint: otlp.url + '/v1/traces' } } } } } : { plugins: { allow: ['fleetbot'] } });
  const t0 = performance.now();
  const open = async () => { const s = connect({ host: '127.0.0.1', port: oc.port, noDelay: true }); await once(s, 'connect'); return s.on('error', () => {}); };
  await waitUntilReady({ machine: 't', open, timeoutMs: 120000 });
  const ready = performance.now() - t0; const times = [];
  for (let i = 0; i < 6; i++) { const t = performance.now(); const c = taskCall(open, { task: { runId: 'r-' + String(i).padStart(12, '0'), message: 'MODE:tool', traceparent: `00-${'a'.repeat(31)}${i + 1}-${'b'.repeat(16)}-01` } }); await transports['gateway-ws'].send({ ...c, token: oc.token }); times.push(Math.round(performance.now() - t)); }
  const t1 = performance.now(); await oc.close();
  console.log(withPlugin, 'ready', Math.round(ready), 'turns', times.join(' '), 'stop', Math.round(performance.now() - t1));
}
await model.close(); await otlp.close(); console.log(otlp.spans.length);
