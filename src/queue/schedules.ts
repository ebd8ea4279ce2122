import { z } from 'zod';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import type { PersonRef } from '../fleet/requester.ts';
import { type Schedule, type ScheduleState, scheduleSchema, scheduleStateSchema } from '../fleet/schedule.ts';
import { schedulesMax } from '../fleet/time-rules.ts';
import { ask } from './connect.ts';
import { ledgerText } from './ledger.ts';
import { json } from './records.ts';
import type { StoreOptions } from './store-options.ts';

const saveReply = z.enum(['saved', 'changed', 'full']);
const storedSchedule = json.pipe(scheduleSchema);
const storedState = json.pipe(scheduleStateSchema);

/** Schedules that people set up, and what was done about all of them. Rejects like requests do. */
export class RedisSchedules {
  readonly #options: Omit<StoreOptions, 'wake'>;

  constructor(options: Omit<StoreOptions, 'wake'>) {
    this.#options = options;
  }

  /** Those that people set up in Slack, by name. */
  async setUp(): Promise<readonly Schedule[]> {
    const { redis, keys } = this.#options;
    const bodies = await ask('read the schedules', redis.hvals(keys.schedules()));
    return bodies.map((body) => storedSchedule.parse(body)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Sets one up: `changed` where the name is taken, `full` where there are too many. The event id is accepted once. */
  add(schedule: Schedule, by: PersonRef, eventId: string): Promise<z.infer<typeof saveReply>> {
    return this.#save({ schedule, by, eventId, change: 'added' });
  }

  /** Removes one: `changed` where it is not there any more, or another one of its name is. The event id is accepted once. */
  remove(schedule: Schedule, by: PersonRef, eventId: string): Promise<z.infer<typeof saveReply>> {
    return this.#save({ schedule, by, eventId, change: 'removed' });
  }

  /** What was done about schedules so far, by name. */
  async states(): Promise<ReadonlyMap<string, ScheduleState>> {
    const { redis, keys } = this.#options;
    const texts = await ask('read the schedules', redis.hgetall(keys.scheduleStates()));
    return new Map(Object.entries(texts).map(([name, text]) => [name, storedState.parse(text)]));
  }

  /**
   * Keeps what was done about a schedule, if it still is as it was; undefined stands for nothing. Not awaited on
   * disk: what is lost is found again, because each time of a schedule is accepted once.
   */
  async saveState(
    name: string,
    before: ScheduleState | undefined,
    after: ScheduleState | undefined,
  ): Promise<boolean> {
    const { redis, keys } = this.#options;
    // As the schema orders it, so that the same state is the same text.
    const text = (state: ScheduleState | undefined): string =>
      state === undefined ? '' : JSON.stringify(scheduleStateSchema.parse(state));
    return (
      (await ask(
        'keep what was done about a schedule',
        redis.saveScheduleState(keys.prefix, name, text(before), text(after)),
      )) === 1
    );
  }

  async #save({
    schedule,
    by,
    eventId,
    change,
  }: {
    readonly schedule: Schedule;
    readonly by: PersonRef;
    readonly eventId: string;
    readonly change: 'added' | 'removed';
  }): Promise<z.infer<typeof saveReply>> {
    const { redis, keys, clock, settings, disk } = this.#options;
    const body = JSON.stringify(scheduleSchema.parse(schedule));
    const entry: LedgerEntry = { kind: 'schedule.changed', at: clock(), by, change, schedule };
    const reply = await ask(
      'store the schedule',
      redis.saveSchedule(
        ...[keys.prefix, schedule.name],
        ...(change === 'added' ? ['', body] : [body, '']),
        ...[eventId, settings.seenEventsKept, settings.ledgerEntriesMax, ledgerText(entry), schedulesMax],
      ),
    );
    await ask('put the schedule on disk', disk.confirm());
    return saveReply.parse(reply);
  }
}
