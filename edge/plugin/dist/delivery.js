import { setTimeout as sleep } from 'node:timers/promises';
import { field } from './reader.js';

                                 
                                                                           
                                
                              
                                                                                           
                              
                                   
                                    
                                
                                  
                                              
                                
 

export const defaultDeliveryLimits                 = {
  batchDelayMs: 500,
  batchSpans: 64,
  queueSpans: 2_000,
  queueCharacters: 16_000_000,
  requestTimeoutMs: 5_000,
  firstRetryMs: 500,
  longestRetryMs: 30_000,
  flushRetryMs: 200,
};

/** Answers after which a request may be repeated, by OTLP's specification (OTLP/HTTP Response, Failures). */
const retryableStatuses                    = [429, 502, 503, 504];

                                
                                                      
                            
                         
                                                                                     
                                                   
                                                        
                                                      
                                                                 
                                           
                                            
 

/**
 * Sends encoded spans to the collector in the background, in small batches, one after the other, in their order.
 * It tries again for as long as the process lives; what the collector refuses, and what no longer fits, is dropped
 * and counted.
 */
export class Delivery {
           #parts               ;
           #limits                ;
           #queue           = [];
           #warned = new Set        ();
  #characters = 0;
  #dropped = 0;
  #sending                           ;
  #hurried = false;
  #wake = new AbortController();

  constructor(parts               ) {
    this.#parts = parts;
    this.#limits = { ...defaultDeliveryLimits, ...parts.limits };
  }

  /** How many spans were given up so far. */
  get dropped()         {
    return this.#dropped;
  }

  /** Takes a span. Neither waits nor throws. */
  add(span        )       {
    this.#queue.push(span);
    this.#characters += span.length;
    const { queueSpans, queueCharacters } = this.#limits;
    while (this.#queue.length > queueSpans || this.#characters > queueCharacters) {
      this.#drop(this.#take(1).length, 'More of them wait than fit in memory.');
    }
    this.#sending ??= this.#sendAll();
  }

  /** Sends what waits, as far as that goes within the time. Never rejects. */
  async flush(timeoutMs        )                {
    this.#hurried = true;
    this.#wake.abort();
    this.#wake = new AbortController();
    await Promise.race([this.#sending, sleep(timeoutMs, undefined, { ref: false })]);
    this.#hurried = false;
  }

  async #sendAll()                {
    await this.#pause(this.#limits.batchDelayMs, 0);
    while (this.#queue.length > 0) await this.#deliver(this.#take(this.#limits.batchSpans));
    this.#sending = undefined;
  }

  async #deliver(spans                   )                {
    const { firstRetryMs, longestRetryMs, flushRetryMs } = this.#limits;
    for (let retryMs = firstRetryMs; ; retryMs = Math.min(2 * retryMs, longestRetryMs)) {
      const askedMs = await this.#post(spans);
      if (askedMs === 'settled') return;
      await this.#pause(Math.max(retryMs, askedMs), flushRetryMs);
    }
  }

  /** Sends one batch. Resolves with `settled`, or with the milliseconds to wait at least before the next attempt. */
  async #post(spans                   )                              {
    const { endpoint, token, body, strangerListens } = this.#parts;
    try {
      if (await strangerListens()) {
        this.#warn(
          "Another user's process listens on the collector's port; they are sent once it has ended.",
        );
        return 0;
      }
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: body(spans),
        signal: AbortSignal.timeout(this.#limits.requestTimeoutMs),
      });
      const answer = await response.text();
      if (response.ok) this.#accepted(answer);
      else if (retryableStatuses.includes(response.status)) {
        this.#warn(`The collector answered ${response.status}; they are sent again.`);
        const askedSeconds = Number(response.headers.get('retry-after') ?? 0);
        return Number.isFinite(askedSeconds)
          ? Math.min(askedSeconds * 1_000, this.#limits.longestRetryMs)
          : 0;
      } else this.#drop(spans.length, `The collector answered ${response.status}.`);
      return 'settled';
    } catch {
      this.#warn('The collector cannot be reached; they are sent again.');
      return 0;
    }
  }

  /** An answer of 200 may still say that some spans were refused (`partialSuccess`). */
  #accepted(answer        )       {
    this.#warned.clear();
    const refused = refusedSpans(answer);
    if (refused > 0) this.#drop(refused, 'The collector refused them.');
  }

  #take(count        )           {
    const taken = this.#queue.splice(0, count);
    for (const span of taken) this.#characters -= span.length;
    return taken;
  }

  #drop(count        , why        )       {
    this.#dropped += count;
    this.#warn(`${why} They are dropped.`);
  }

  #warn(why        )       {
    if (this.#warned.has(why)) return;
    this.#warned.add(why);
    this.#parts.warn(`fleetbot: spans do not arrive. ${why}`);
  }

  /** Waits, but not while the process waits for the last spans. */
  async #pause(ms        , hurriedMs        )                {
    const { signal } = this.#wake;
    if (!this.#hurried) await sleep(ms, undefined, { ref: false, signal }).catch(() => {});
    if (this.#hurried) await sleep(hurriedMs, undefined, { ref: false });
  }
}

function refusedSpans(answer        )         {
  try {
    return Number(field(field(JSON.parse(answer), 'partialSuccess'), 'rejectedSpans') ?? 0);
  } catch {
    return 0;
  }
}
