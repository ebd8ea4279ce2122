import { createServer } from 'node:http';
import { z } from 'zod';
import { createExecTool } from './exec-tool.ts';
import { createGatewayHttp } from './gateway-http.ts';
import { createGatewayWs } from './gateway-ws.ts';
import type { Model } from './model.ts';
import { Sessions } from './sessions.ts';

const host = '127.0.0.1';

/** What the machine gives its agent: a port to listen on and the token to ask for. */
const environmentSchema = z.object({
  OPENCLAW_GATEWAY_PORT: z.coerce.number().int().min(1).max(65_535),
  OPENCLAW_GATEWAY_TOKEN: z.string().min(16),
});

/**
 * Makes this process an agent: a gateway on loopback in front of the model. Must be started by a machine
 * (`machine/agent-unit.ts`), whose end it does not survive: it exits when its stdin or its message channel closes.
 * @throws ZodError when it was started otherwise
 */
export async function runAgent({ model }: { readonly model: Model }): Promise<void> {
  process.stdin.resume().once('end', () => process.exit(0));
  process.once('disconnect', () => process.exit(0));
  process.once('SIGTERM', () => process.exit(0));

  const { OPENCLAW_GATEWAY_PORT: port, OPENCLAW_GATEWAY_TOKEN: token } = environmentSchema.parse(process.env);
  const clock = Date.now;
  const exec = createExecTool({
    send: (message) => process.send?.(message),
    onMessage: (listener) => process.on('message', listener),
  });
  const sessions = new Sessions({ model, exec, clock });
  let ready = false;
  const http = createServer(createGatewayHttp({ token, sessions, isReady: () => ready, clock }));
  const ws = createGatewayWs({ token, modelName: model.name, sessions, clock });
  http.on('upgrade', (request, socket, head) => {
    if (!ready) socket.destroy();
    else ws.handleUpgrade(request, socket, head, (client) => ws.emit('connection', client, request));
  });
  http.listen(port, host);
  await model.warmUp?.();
  ready = true;
}
