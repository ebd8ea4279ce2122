import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KnownBlock, ModalView } from '@slack/types';
import { blockProblems, modalProblems } from './block-limits.ts';

/** A message as the fake holds it; `ephemeralTo` is set on what only one person sees. */
export interface FakeMessage {
  readonly channel: string;
  readonly ts: string;
  readonly user: string;
  readonly bot_id?: string;
  readonly thread_ts?: string;
  text: string;
  blocks?: readonly KnownBlock[];
  readonly files?: readonly { readonly id: string; readonly title: string; readonly content: string }[];
  readonly ephemeralTo?: string;
}

/** One call of the Web API, with its arguments as sent. */
export interface FakeCall {
  readonly method: string;
  readonly args: Readonly<Record<string, string>>;
}

type Answer = Readonly<Record<string, unknown>>;
type Handler = (args: Readonly<Record<string, string>>) => Answer;
type Trouble =
  | { readonly kind: 'rate-limit'; readonly retryAfterS: number }
  | { readonly kind: 'error'; readonly code: string }
  /** The call is carried out, and the connection breaks before the answer. */
  | { readonly kind: 'lost-answer' }
  /** The call is neither carried out nor answered. */
  | { readonly kind: 'silence' };

/** The bot's own ids; its workspace is part of an Enterprise Grid. */
export const fakeBot = {
  url: 'https://acme.slack.com/',
  user: 'fleetbot',
  user_id: 'U0BOT',
  bot_id: 'B0BOT',
  team_id: 'T0TEAM',
  enterprise_id: 'E0ORG',
};

const refuse = (error: string): Answer => ({ ok: false, error });

/**
 * A small Slack on loopback that speaks as much of the Web API as fleetbot uses, holds messages and files,
 * refuses what Slack refuses, and gets into the troubles that a test asks for.
 */
export class FakeSlack {
  /** Every call that arrived, in order, also those that were refused. */
  readonly calls: FakeCall[] = [];
  readonly messages: FakeMessage[] = [];
  /** Windows by their id, as people see them now. */
  readonly modals = new Map<string, ModalView>();
  /** What was sent to `responseUrl`, in order. */
  readonly responses: Answer[] = [];
  /** Answers of further methods; replaces a built-in one of the same name. */
  readonly handlers = new Map<string, Handler>();
  /** While true, every connection is broken before anything is done. */
  away = false;
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch((error: unknown) => {
      // Who was killed while it still asked has asked for nothing.
      if (!request.destroyed) throw error;
    });
  });
  readonly #troubles: { method: string; trouble: Trouble; matches: Handler | undefined; left: number }[] = [];
  readonly #notIn = new Set<string>();
  readonly #uploads = new Map<string, { readonly filename: string; content: string }>();
  #counter = 0;

  static async start(): Promise<FakeSlack> {
    const slack = new FakeSlack();
    await new Promise<void>((resolve) => slack.#server.listen(0, '127.0.0.1', resolve));
    return slack;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** For `slackApiUrl`. */
  get apiUrl(): string {
    return `${this.#origin()}/api/`;
  }

  /** For `response_url` of commands and clicks. */
  get responseUrl(): string {
    return `${this.#origin()}/response`;
  }

  /** The next `times` calls of the method (in this channel, where given) meet the trouble. */
  trouble(method: string, trouble: Trouble, options: { channel?: string; times?: number } = {}): void {
    const { channel, times = 1 } = options;
    const matches =
      channel === undefined
        ? undefined
        : (args: Readonly<Record<string, string>>) => ({ ok: args.channel === channel });
    this.#troubles.push({ method, trouble, matches, left: times });
  }

  /** The bot is in every channel unless it is put out of it. */
  setMember(channel: string, isMember: boolean): void {
    if (isMember) this.#notIn.delete(channel);
    else this.#notIn.add(channel);
  }

  /** A person deletes a message. */
  delete(ts: string): void {
    const index = this.messages.findIndex((message) => message.ts === ts);
    if (index >= 0) this.messages.splice(index, 1);
  }

  /** A person writes a message. */
  say(channel: string, user: string, text: string): FakeMessage {
    return this.#store({ channel, user, text });
  }

  callsOf(method: string): readonly FakeCall[] {
    return this.calls.filter((call) => call.method === method);
  }

  #origin(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.away) {
      request.socket.destroy();
      return;
    }
    const url = new URL(request.url ?? '/', this.#origin());
    const body = await readBody(request);
    if (url.pathname.startsWith('/upload/')) {
      const upload = this.#uploads.get(url.pathname.slice('/upload/'.length));
      if (upload !== undefined) upload.content = await fileIn(request, body);
      response.end('OK');
      return;
    }
    if (url.pathname === '/response') {
      this.responses.push(JSON.parse(body.toString('utf8')));
      response.end('ok');
      return;
    }
    const method = url.pathname.replace('/api/', '');
    const args = Object.fromEntries(new URLSearchParams(body.toString('utf8')));
    this.calls.push({ method, args });
    const trouble = this.#troubleFor(method, args);
    if (trouble?.kind === 'silence') return;
    if (trouble?.kind === 'rate-limit') {
      response.writeHead(429, { 'retry-after': String(trouble.retryAfterS) }).end();
      return;
    }
    const answer = trouble?.kind === 'error' ? refuse(trouble.code) : this.#answer(method, args);
    if (trouble?.kind === 'lost-answer') {
      request.socket.destroy();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #troubleFor(method: string, args: Readonly<Record<string, string>>): Trouble | undefined {
    const found = this.#troubles.find(
      (entry) => entry.method === method && entry.left > 0 && (entry.matches?.(args).ok ?? true),
    );
    if (found !== undefined) found.left -= 1;
    return found?.trouble;
  }

  #answer(method: string, args: Readonly<Record<string, string>>): Answer {
    const handler = this.handlers.get(method);
    if (handler !== undefined) return handler(args);
    switch (method) {
      case 'auth.test':
        return { ok: true, ...fakeBot };
      case 'chat.postMessage':
        return this.#post(args);
      case 'chat.postEphemeral':
        return this.#postEphemeral(args);
      case 'chat.update':
        return this.#update(args);
      case 'conversations.history':
        return this.#page(args, (message) => message.thread_ts === undefined);
      case 'conversations.replies':
        return this.#page(args, (message) => message.ts === args.ts || message.thread_ts === args.ts);
      case 'views.open':
        return this.#showModal(`V0${this.#next()}`, args);
      case 'views.update':
        return this.#showModal(args.view_id ?? '', args);
      case 'files.getUploadURLExternal':
        return this.#beginUpload(args);
      case 'files.completeUploadExternal':
        return this.#completeUpload(args);
      default:
        return refuse('unknown_method');
    }
  }

  #post(args: Readonly<Record<string, string>>): Answer {
    const { text = '', thread_ts } = args;
    const channel = conversation(args.channel ?? '');
    if (this.#notIn.has(channel)) return refuse('not_in_channel');
    if (thread_ts !== undefined && !this.messages.some((message) => message.ts === thread_ts)) {
      return refuse('thread_not_found');
    }
    const blocks = blocksOf(args);
    const problems = blocks === undefined ? [] : blockProblems(blocks);
    if (problems.length > 0) return { ...refuse('invalid_blocks'), problems };
    const message = this.#store({
      channel,
      user: fakeBot.user_id,
      bot_id: fakeBot.bot_id,
      text,
      ...(blocks === undefined ? {} : { blocks }),
      ...(thread_ts === undefined ? {} : { thread_ts }),
    });
    return { ok: true, channel, ts: message.ts, message };
  }

  #postEphemeral(args: Readonly<Record<string, string>>): Answer {
    const { channel = '', text = '', user = '' } = args;
    if (this.#notIn.has(channel)) return refuse('not_in_channel');
    const blocks = blocksOf(args) ?? [];
    const message = this.#store({ channel, user: fakeBot.user_id, text, blocks, ephemeralTo: user });
    return { ok: true, message_ts: message.ts };
  }

  #update(args: Readonly<Record<string, string>>): Answer {
    const { channel = '', text = '', ts } = args;
    const message = this.messages.find((each) => each.channel === channel && each.ts === ts);
    if (message === undefined) return refuse('message_not_found');
    const blocks = blocksOf(args);
    const problems = blocks === undefined ? [] : blockProblems(blocks);
    if (problems.length > 0) return { ...refuse('invalid_blocks'), problems };
    message.text = text;
    // As in Slack: text without blocks removes the blocks.
    if (blocks === undefined) delete message.blocks;
    else message.blocks = blocks;
    return { ok: true, channel, ts, text };
  }

  #showModal(id: string, { view: text = '{}' }: Readonly<Record<string, string>>): Answer {
    const view: ModalView = JSON.parse(text);
    const problems = modalProblems(view);
    if (problems.length > 0) return { ...refuse('invalid_arguments'), problems };
    this.modals.set(id, view);
    return { ok: true, view: { id, ...view } };
  }

  #page(args: Readonly<Record<string, string>>, belongs: (message: FakeMessage) => boolean): Answer {
    const { channel = '', cursor = '0', limit = '100', oldest = '0' } = args;
    if (this.#notIn.has(channel)) return refuse('not_in_channel');
    const all = this.messages
      .filter((m) => m.channel === channel && m.ephemeralTo === undefined && belongs(m))
      .filter((m) => Number(m.ts) >= Number(oldest))
      .toReversed();
    const end = Number(cursor) + Number(limit);
    return {
      ok: true,
      messages: all.slice(Number(cursor), end),
      response_metadata: { next_cursor: end < all.length ? String(end) : '' },
    };
  }

  #beginUpload({ filename = '' }: Readonly<Record<string, string>>): Answer {
    const id = `F0${this.#next()}`;
    this.#uploads.set(id, { filename, content: '' });
    return { ok: true, file_id: id, upload_url: `${this.#origin()}/upload/${id}` };
  }

  #completeUpload(args: Readonly<Record<string, string>>): Answer {
    const { channel_id: channel = '', files: list = '[]', thread_ts } = args;
    if (this.#notIn.has(channel)) return refuse('not_in_channel');
    // A person is no conversation: unlike a message, a file opens none.
    if (conversation(channel) !== channel) return refuse('channel_not_found');
    const wanted: { id: string; title: string }[] = JSON.parse(list);
    const files = wanted.map((file) => ({ ...file, content: this.#uploads.get(file.id)?.content ?? '' }));
    this.#store({
      channel,
      user: fakeBot.user_id,
      bot_id: fakeBot.bot_id,
      text: '',
      files,
      ...(thread_ts === undefined ? {} : { thread_ts }),
    });
    return { ok: true, files: wanted };
  }

  #store(message: Omit<FakeMessage, 'ts'>): FakeMessage {
    const ts = `${Math.floor(Date.now() / 1_000)}.${String(this.#next()).padStart(6, '0')}`;
    const stored = { ...message, ts };
    this.messages.push(stored);
    return stored;
  }

  #next(): number {
    this.#counter += 1;
    return this.#counter;
  }
}

/** Where a message to a person goes: into their conversation with the bot. */
function conversation(channel: string): string {
  return /^[UW]/.test(channel) ? `D${channel.slice(1)}` : channel;
}

function blocksOf(args: Readonly<Record<string, string>>): readonly KnownBlock[] | undefined {
  return args.blocks === undefined ? undefined : JSON.parse(args.blocks);
}

async function readBody(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** The one file of a multipart body. */
async function fileIn(request: IncomingMessage, body: Buffer<ArrayBuffer>): Promise<string> {
  const type = request.headers['content-type'] ?? '';
  const form = await new Response(body, { headers: { 'content-type': type } }).formData();
  for (const part of form.values()) if (typeof part !== 'string') return part.text();
  return '';
}
