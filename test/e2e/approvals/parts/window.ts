import { once } from 'node:events';
import { WebSocket } from 'ws';
import { z } from 'zod';

const openWindowSchema = z.object({
  t: z.literal('init'),
  state: z.object({ modalStack: z.array(z.object({ private_metadata: z.string().default('') })) }),
});

/**
 * The window that a click opened, as the page of local-slack 0.1.8 has it: it goes over the page's own WebSocket, and
 * all people of the workspace share it, so one is open at a time.
 */
export class Window {
  readonly #url: string;

  constructor(slackUrl: string) {
    this.#url = `${slackUrl.replace('http', 'ws')}/ui`;
  }

  /** What the window that is on top carries; undefined where none is open. */
  async carries(): Promise<string | undefined> {
    const socket = new WebSocket(this.#url);
    try {
      const [first] = await once(socket, 'message');
      return openWindowSchema.parse(JSON.parse(String(first))).state.modalStack.at(-1)?.private_metadata;
    } finally {
      socket.terminate();
    }
  }

  /** Fills its one text in, and sends it in the name of a person. */
  async submit(user: string, { blockId, actionId }: { blockId: string; actionId: string }, text: string) {
    const values = { [blockId]: { [actionId]: { type: 'plain_text_input', value: text } } };
    const socket = new WebSocket(this.#url);
    await once(socket, 'message');
    socket.send(JSON.stringify({ t: 'view_submit', user, values }));
    socket.close();
    await once(socket, 'close');
  }
}
