import type { Schedules } from '../../src/bot/ports.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { PersonRef } from '../../src/fleet/requester.ts';
import type { Schedule } from '../../src/fleet/schedule.ts';

/** The bot's `Schedules` in memory: an event id is accepted once. */
export class FakeSchedules implements Schedules {
  readonly stored = new Map<string, Schedule>();
  /** Who removed what. */
  readonly removed: { readonly name: string; readonly by: PersonRef }[] = [];
  /** Makes every call fail as when Redis is away. */
  away = false;
  readonly #events = new Set<string>();

  reset(): void {
    this.stored.clear();
    this.removed.length = 0;
    this.#events.clear();
    this.away = false;
  }

  async setUp(): Promise<readonly Schedule[]> {
    this.#reach();
    return [...this.stored.values()];
  }

  async add(schedule: Schedule, _by: PersonRef, eventId: string): Promise<'saved' | 'changed'> {
    this.#reach();
    if (this.#events.has(eventId)) return 'saved';
    if (this.stored.has(schedule.name)) return 'changed';
    this.#events.add(eventId);
    this.stored.set(schedule.name, schedule);
    return 'saved';
  }

  async remove(schedule: Schedule, by: PersonRef, eventId: string): Promise<'saved' | 'changed'> {
    this.#reach();
    if (this.#events.has(eventId)) return 'saved';
    if (this.stored.get(schedule.name) !== schedule) return 'changed';
    this.#events.add(eventId);
    this.stored.delete(schedule.name);
    this.removed.push({ name: schedule.name, by });
    return 'saved';
  }

  #reach(): void {
    if (this.away) throw new StoreUnavailableError('Redis did not answer. Look at the Redis server.');
  }
}
