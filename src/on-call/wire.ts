import type { HandOver } from '../fleet/hand-over.ts';

/** What a pager is told. */
export interface Page {
  readonly handOver: HandOver;
  /** Address of the thread in Slack; undefined where it is not known. */
  readonly thread: string | undefined;
}

/** The request that carries a page. */
export interface PageRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** How a kind of pager is spoken to. */
export interface Wire {
  request(page: Page): PageRequest;
  /** Why an answer with a status of 2xx is none, as the end of a sentence; undefined where the pager took it. */
  doubt(body: unknown): string | undefined;
  /** What the pager says of an error, where it says something. */
  reason(body: unknown): string | undefined;
  /** What must never be told again. */
  readonly secrets: readonly string[];
}
