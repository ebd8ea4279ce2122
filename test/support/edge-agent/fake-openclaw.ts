import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { z } from 'zod';

/**
 * OpenClaw's program for tests of what runs around it: `approvals set --file FILE` and `gateway run --port PORT`. What
 * it does is in the configuration; what was done to it, a line each, in `calls` of its state folder.
 */
const env = z
  .object({
    OPENCLAW_STATE_DIR: z.string(),
    OPENCLAW_CONFIG_PATH: z.string(),
    OPENCLAW_GATEWAY_TOKEN: z.string(),
  })
  .parse(process.env);
const behaviour = fakeBehaviourSchema().parse(JSON.parse(readFileSync(env.OPENCLAW_CONFIG_PATH, 'utf8')));
const tell = (...words: string[]) =>
  appendFileSync(join(env.OPENCLAW_STATE_DIR, 'calls'), `${words.join(' ')}\n`);

const [command, , , value = ''] = process.argv.slice(2);
if (command === 'approvals') {
  tell('approvals', readFileSync(value, 'utf8'));
  process.exit(behaviour.approvalsExitCode);
}

/** Like OpenClaw, it waits for what runs before it ends. */
const running = new Set(behaviour.running);
let ending = false;
const endIfIdle = () => {
  if (ending && running.size === 0) process.exit(0);
};
process.on('SIGTERM', () => {
  tell('SIGTERM');
  ending = true;
  endIfIdle();
});
const requestSchema = z.object({
  id: z.string(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()),
});
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(value) });
server.on('connection', (socket) => {
  let administrator = false;
  socket.send('{"type":"event","event":"connect.challenge","payload":{"nonce":"n","ts":1}}');
  socket.on('message', (data) => {
    const { id, method, params } = requestSchema.parse(JSON.parse(String(data)));
    const answer = (ok: boolean, payload: object = {}) =>
      socket.send(JSON.stringify({ type: 'res', id, ok, payload }));
    if (behaviour.deaf) return;
    if (method === 'connect') {
      const introduction = z.object({ auth: z.object({ token: z.string() }), scopes: z.array(z.string()) });
      const { auth, scopes } = introduction.parse(params);
      administrator = auth.token === env.OPENCLAW_GATEWAY_TOKEN && scopes.includes('operator.admin');
      answer(true);
    } else if (method === 'sessions.list') {
      const sessions = ['agent:edge:done', ...running].map((key) => ({
        key,
        hasActiveRun: running.has(key),
      }));
      answer(true, { sessions });
    } else {
      tell(method, String(params.key));
      answer(administrator && running.delete(String(params.key)));
    }
  });
});
server.on('listening', () => {
  tell('listening', process.cwd());
  if (behaviour.exitCode !== undefined) process.exit(behaviour.exitCode);
  if (behaviour.signal !== undefined) process.kill(process.pid, behaviour.signal);
});

function fakeBehaviourSchema() {
  return z.object({
    approvalsExitCode: z.int().default(0),
    /** Keys of sessions that run until they are aborted. */
    running: z.array(z.string()).default([]),
    /** Whether it answers nobody. */
    deaf: z.boolean().default(false),
    /** How it ends by itself. */
    exitCode: z.int().optional(),
    signal: z.enum(['SIGKILL', 'SIGABRT']).optional(),
  });
}
