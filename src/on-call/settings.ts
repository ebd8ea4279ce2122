/** How pagers are called. All of it together is short: while one is tried, the next on call waits. */
export interface PagerSettings {
  /** How long one request may take, from the connection to the end of the answer. */
  readonly requestTimeoutMs: number;
  /** How often a pager is tried before the next one on call is. */
  readonly tries: number;
  /** The pause after the first failure; doubled after each. */
  readonly firstPauseMs: number;
  /** The longest pause that a pager may ask for (`Retry-After`): with a longer one the next is called instead. */
  readonly longestPauseMs: number;
  /** How much of an answer is read. */
  readonly answerMaxBytes: number;
}

export const pagerDefaults: PagerSettings = {
  requestTimeoutMs: 8_000,
  tries: 4,
  firstPauseMs: 1_000,
  longestPauseMs: 10_000,
  answerMaxBytes: 16 * 1024,
};
