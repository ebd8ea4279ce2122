import type { AlertMessages } from '../../src/bot/ports.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';

type Delivery = Parameters<AlertMessages['take']>[1];

/** The `AlertMessages` port in memory: keeps what it is given. What people post tells no alerts. */
export class FakeAlertMessages implements AlertMessages {
  readonly taken: { readonly event: unknown; readonly delivery: Delivery }[] = [];
  /** Makes every call fail as when Redis is away. */
  away = false;
  /** Every call, also those that failed. */
  calls = 0;

  tells(event: unknown): boolean {
    return typeof event === 'object' && event !== null && !('client_msg_id' in event);
  }

  async take(event: unknown, delivery: Delivery): Promise<void> {
    this.calls += 1;
    if (this.away) throw new StoreUnavailableError('Redis did not answer.');
    this.taken.push({ event, delivery });
  }

  reset(): void {
    this.taken.length = 0;
    this.away = false;
    this.calls = 0;
  }
}
