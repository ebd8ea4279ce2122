import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { Clock, SlackBudget, ViewPriority } from '../ports.ts';
import type { FileContent, View } from '../views/view.ts';
import { type Outcome, type SlackProblem, slackProblem } from './slack-problem.ts';

/** Where a message stands or goes. */
export interface Place {
  readonly channel: string;
  readonly threadTs?: string;
  readonly priority: ViewPriority;
  /** No call begins later: the lease would run out before its answer. */
  readonly notAfterMs: number;
}

const meSchema = z.object({ user: z.string(), user_id: z.string(), bot_id: z.string().optional() });
type Me = z.infer<typeof meSchema>;

const messageSchema = z.object({
  ts: z.string(),
  user: z.string().optional(),
  bot_id: z.string().optional(),
  blocks: z.array(z.object({ block_id: z.string().optional() })).optional(),
  files: z.array(z.object({ id: z.string(), title: z.string().nullish() })).optional(),
});
type Message = z.infer<typeof messageSchema>;

const pageSchema = z.object({
  messages: z.array(messageSchema),
  response_metadata: z.object({ next_cursor: z.string().optional() }).optional(),
});

const uploadedSchema = z.object({
  files: z
    .tuple([z.object({ files: z.tuple([z.object({ id: z.string() })]).rest(z.unknown()) })])
    .rest(z.unknown()),
});

/** The most that Slack gives at once. */
const pageSize = 999;
/** A search gives up after this many pages; the message is taken to be missing. */
const searchedPages = 3;
/** Slack's clock and ours may differ by this much. */
const clockSkewMs = 60_000;

/** Nothing in our text becomes a link, a mention or a preview beyond what we wrote as one. */
const asWritten = { parse: 'none', unfurl_links: false, unfurl_media: false } as const;

/** Every call asks the budget first and answers with an outcome; a 429 is told to the budget. */
export class SlackDesk {
  readonly #client: WebClient;
  readonly #budget: SlackBudget;
  readonly #clock: Clock;
  #me: Me | undefined;

  constructor(client: WebClient, budget: SlackBudget, clock: Clock) {
    this.#client = client;
    this.#budget = budget;
    this.#clock = clock;
  }

  /** Posts a message; `before` runs once the budget allows it. @returns its ts */
  post(view: View, place: Place, before?: () => Promise<void>): Promise<Outcome<string>> {
    return this.#call('chat.postMessage', place, before, async () => {
      const thread = place.threadTs === undefined ? {} : { thread_ts: place.threadTs };
      const answer = await this.#client.chat.postMessage({
        channel: place.channel,
        ...view,
        ...thread,
        ...asWritten,
      });
      return z.string().parse(answer.ts);
    });
  }

  /** Edits a message. Text and blocks go together: text alone would remove the blocks. */
  update(view: View, ts: string, place: Place): Promise<Outcome<string>> {
    return this.#call('chat.update', place, undefined, async () => {
      await this.#client.chat.update({ channel: place.channel, ts, ...view, parse: 'none' });
      return ts;
    });
  }

  /** Uploads a file into a thread; `before` runs once the budget allows it. @returns its id */
  upload(
    file: FileContent,
    place: Place & { readonly threadTs: string },
    before?: () => Promise<void>,
  ): Promise<Outcome<string>> {
    return this.#call('files.uploadV2', place, before, async () => {
      const answer = await this.#client.files.uploadV2({
        channel_id: place.channel,
        thread_ts: place.threadTs,
        filename: file.filename,
        title: file.title,
        content: file.content,
      });
      return uploadedSchema.parse(answer).files[0].files[0].id;
    });
  }

  /** Looks for a message of ours that holds the block. @returns its ts, or undefined when there is none */
  findMessage(blockId: string, place: Place, sinceMs: number): Promise<Outcome<string | undefined>> {
    return this.#find(place, sinceMs, (message) =>
      message.blocks?.some((block) => block.block_id === blockId) ? message.ts : undefined,
    );
  }

  /** Looks for a file of ours by its title. @returns its id, or undefined when there is none */
  findFile(title: string, place: Place, sinceMs: number): Promise<Outcome<string | undefined>> {
    return this.#find(place, sinceMs, (message) => message.files?.find((file) => file.title === title)?.id);
  }

  /** Tells one person something: where they asked or, if that cannot be, in their own conversation with us. */
  async tell(userId: string, view: View, place: Place): Promise<Outcome<unknown>> {
    const seen = await this.#call('chat.postEphemeral', place, undefined, () =>
      this.#client.chat.postEphemeral({ channel: place.channel, user: userId, ...view, parse: 'none' }),
    );
    return seen.ok
      ? seen
      : this.post(view, { channel: userId, priority: place.priority, notAfterMs: place.notAfterMs });
  }

  /** The name under which people know us. */
  async name(place: Place): Promise<Outcome<string>> {
    const me = await this.#whoAmI(place);
    return me.ok ? { ok: true, value: me.value.user } : me;
  }

  async #find(
    place: Place,
    sinceMs: number,
    match: (message: Message) => string | undefined,
  ): Promise<Outcome<string | undefined>> {
    const me = await this.#whoAmI(place);
    if (!me.ok) return me;
    const isOurs = (message: Message) =>
      message.user === me.value.user_id ||
      (message.bot_id !== undefined && message.bot_id === me.value.bot_id);
    let cursor: string | undefined;
    for (let pages = 0; pages < searchedPages; pages += 1) {
      const page = await this.#page(place, sinceMs, cursor);
      if (!page.ok) return page;
      for (const message of page.value.messages) {
        const found = isOurs(message) ? match(message) : undefined;
        if (found !== undefined) return { ok: true, value: found };
      }
      cursor = page.value.response_metadata?.next_cursor;
      if (cursor === undefined || cursor === '') break;
    }
    return { ok: true, value: undefined };
  }

  #page(
    place: Place,
    sinceMs: number,
    cursor: string | undefined,
  ): Promise<Outcome<z.infer<typeof pageSchema>>> {
    const window = {
      channel: place.channel,
      oldest: ((sinceMs - clockSkewMs) / 1_000).toFixed(6),
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    };
    const { threadTs } = place;
    return threadTs === undefined
      ? this.#call('conversations.history', place, undefined, async () =>
          pageSchema.parse(await this.#client.conversations.history(window)),
        )
      : this.#call('conversations.replies', place, undefined, async () =>
          pageSchema.parse(await this.#client.conversations.replies({ ...window, ts: threadTs })),
        );
  }

  async #whoAmI(place: Place): Promise<Outcome<Me>> {
    if (this.#me !== undefined) return { ok: true, value: this.#me };
    const me = await this.#call('auth.test', place, undefined, async () =>
      meSchema.parse(await this.#client.auth.test()),
    );
    if (me.ok) this.#me = me.value;
    return me;
  }

  async #call<T>(
    method: string,
    place: Place,
    before: (() => Promise<void>) | undefined,
    send: () => Promise<T>,
  ): Promise<Outcome<T>> {
    const tooLate = { ok: false, problem: { kind: 'wait', ms: 0 } } as const;
    if (this.#clock() > place.notAfterMs) return tooLate;
    const ms = await this.#budget.take(method, place.channel, place.priority);
    if (ms > 0) return { ok: false, problem: { kind: 'wait', ms } };
    await before?.();
    // The store may have taken its time.
    if (this.#clock() > place.notAfterMs) return tooLate;
    let problem: SlackProblem;
    try {
      return { ok: true, value: await send() };
    } catch (error) {
      problem = slackProblem(error);
    }
    if (problem.kind === 'rate-limited') {
      await this.#budget.block(method, place.channel, problem.retryAfterMs);
    }
    return { ok: false, problem };
  }
}
