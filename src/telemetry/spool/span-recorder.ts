import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

/** What one turn of the event loop brought. */
export interface Turn {
  readonly ended: readonly ReadableSpan[];
  /** Those of it that have not ended. */
  readonly begun: readonly ReadableSpan[];
  /** All that have not ended, these included. */
  readonly open: readonly ReadableSpan[];
}

/**
 * Hands on what spans begin and end, once per turn of the event loop: what a run records in one go costs it one
 * write. A span that ends in the turn in which it began is never told as begun.
 */
export class SpanRecorder implements SpanProcessor {
  readonly #hand: (turn: Turn) => void;
  readonly #open = new Set<ReadableSpan>();
  #begun = new Set<ReadableSpan>();
  #ended: ReadableSpan[] = [];
  #turn: NodeJS.Immediate | undefined;
  #isClosed = false;

  constructor(hand: (turn: Turn) => void) {
    this.#hand = hand;
  }

  onStart(span: ReadableSpan): void {
    this.#begun.add(span);
    this.#open.add(span);
    this.#atEndOfTurn();
  }

  onEnd(span: ReadableSpan): void {
    this.#begun.delete(span);
    this.#open.delete(span);
    this.#ended.push(span);
    this.#atEndOfTurn();
  }

  /** Hands on what this turn has brought so far. */
  async forceFlush(): Promise<void> {
    this.#handOn();
  }

  /** The same; what comes later is passed over. */
  async shutdown(): Promise<void> {
    this.#handOn();
    this.#isClosed = true;
  }

  #atEndOfTurn(): void {
    if (this.#isClosed) return;
    this.#turn ??= setImmediate(() => this.#handOn());
  }

  #handOn(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    const [ended, begun] = [this.#ended, [...this.#begun]];
    this.#ended = [];
    this.#begun = new Set();
    if (ended.length > 0 || begun.length > 0) this.#hand({ ended, begun, open: [...this.#open] });
  }
}
