/** One channel gets so many notices in a window: more say less, and hold up the answers that people wait for. */
const noticesPerWindow = 20;
const windowMs = 600_000;

/** Whether a notice is posted; `last` for the last one of its window. */
export type Posting = 'more' | 'last' | 'none';

/** What the last notice says of those that are not posted. */
export const quotaSpentText = `More such messages are not posted here for the next ${windowMs / 60_000} min: see the log, the ledger, and /fleet list.`;

/** Keeps one cause that concerns thousands of machines from posting thousands of messages in one channel. */
export class NoticeQuota {
  readonly #windows = new Map<string, { readonly endsAt: number; posted: number }>();

  /** Takes a notice's place in the channel, if there is one. `now` in ms. */
  take(channel: string, now: number): Posting {
    let window = this.#windows.get(channel);
    if (window === undefined || now >= window.endsAt) {
      window = { endsAt: now + windowMs, posted: 0 };
      this.#windows.set(channel, window);
    }
    if (window.posted >= noticesPerWindow) return 'none';
    window.posted += 1;
    return window.posted === noticesPerWindow ? 'last' : 'more';
  }
}
