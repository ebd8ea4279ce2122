import { Counter, type Registry } from 'prom-client';
import { zero } from './zero.ts';

/** Slack's methods that are called under the budget; one that is not here is counted all the same. */
const methods = [
  'auth.test',
  'chat.postEphemeral',
  'chat.postMessage',
  'chat.update',
  'conversations.history',
  'conversations.replies',
  'files.uploadV2',
];

/** Bot's SlackBudget, as far as calls can be counted by it. */
interface Budget<Priority> {
  /** 0: the call is made now. */
  take(method: string, channel: string, priority: Priority): Promise<number>;
  /** Slack answered 429. */
  block(method: string, channel: string, retryAfterMs: number): Promise<void>;
}

/** A budget that also counts the calls that it allows and Slack's refusals of them. */
export class SlackMetrics {
  readonly #calls: Counter<'method'>;
  readonly #rateLimits: Counter<'method'>;

  constructor(registry: Registry) {
    const [labelNames, registers] = [['method'] as const, [registry]];
    this.#calls = new Counter({
      name: 'fleetbot_slack_calls_total',
      help: 'Calls with which answers are brought to Slack.',
      labelNames,
      registers,
    });
    this.#rateLimits = new Counter({
      name: 'fleetbot_slack_rate_limits_total',
      help: 'Those that Slack answered with 429, too many requests.',
      labelNames,
      registers,
    });
    zero(this.#calls, methods);
    zero(this.#rateLimits, methods);
  }

  /** The same budget, counted. */
  metered<Priority>(budget: Budget<Priority>): Budget<Priority> {
    return {
      take: async (method, channel, priority) => {
        const waitMs = await budget.take(method, channel, priority);
        if (waitMs === 0) this.#calls.inc({ method });
        return waitMs;
      },
      block: (method, channel, retryAfterMs) => {
        this.#rateLimits.inc({ method });
        return budget.block(method, channel, retryAfterMs);
      },
    };
  }
}
