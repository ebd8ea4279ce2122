import { setTimeout as sleep } from 'node:timers/promises';
import { Queue as BullQueue } from 'bullmq';
import { queueDefaults } from '../../src/queue/queue-settings.ts';
import { wakeQueueName } from '../../src/queue/wakes.ts';
import type { LostWindow } from './chaos-redis.ts';
import type { ChaosSystem } from './chaos-system.ts';
import type { Calamity } from './plan-calamities.ts';
import type { Random } from './random.ts';
import type { Victim } from './victim.ts';

const droppingMs = 1_000;
const troubles = [
  { kind: 'rate-limit', retryAfterS: 1 },
  { kind: 'lost-answer' },
  { kind: 'silence' },
  { kind: 'error', code: 'internal_error' },
] as const;
const troubledMethods = ['chat.postMessage', 'chat.postMessage', 'chat.update', 'users.info'];

/** What befalls the system. */
export class Calamities {
  lost: LostWindow | undefined;
  droppedWakes = 0;
  /** How often what happened. */
  readonly happened = new Map<string, number>();
  readonly #system: ChaosSystem;
  readonly #random: Random;
  readonly #wakes: BullQueue;
  readonly #underWay = new Set<Promise<unknown>>();
  #vanished = new Set<string>();
  #last = Promise.resolve();

  constructor(system: ChaosSystem, random: Random) {
    this.#system = system;
    this.#random = random;
    this.#wakes = new BullQueue(wakeQueueName, {
      connection: system.records,
      prefix: queueDefaults.prefix,
      skipVersionCheck: true,
    });
    this.#wakes.on('error', () => {});
  }

  /** Begins it, and does not wait for its end. */
  befall({ kind, pick, ms }: Calamity): void {
    this.happened.set(kind, (this.happened.get(kind) ?? 0) + 1);
    const { workers, bots, redis, recoveries } = this.#system;
    const botVictims = bots.map(({ victim }) => victim);
    const one = (victims: readonly Victim[]) => {
      const alive = victims.filter(({ state }) => state === 'up' || state === 'frozen');
      return alive[Math.floor(pick * alive.length)];
    };
    if (kind.endsWith('Redis') || kind === 'drop wakes') recoveries.disturbed();
    switch (kind) {
      case 'kill worker':
        this.#kill(one(workers));
        break;
      case 'freeze worker':
        this.#freeze(one(workers), ms);
        break;
      case 'kill bot':
        this.#kill(one(botVictims));
        break;
      case 'freeze bot':
        this.#freeze(one(botVictims), ms);
        break;
      case 'kill Redis':
        this.#begin(redis.crash());
        break;
      case 'freeze Redis':
        this.#begin(redis.freeze(ms));
        break;
      case 'rob Redis of a second':
        this.#begin(this.#alone(() => this.#robRedis()));
        break;
      case 'drop wakes':
        this.#begin(this.#alone(() => this.#dropWakes()));
        break;
      case 'vanish':
        this.vanish(ms);
        break;
      case 'trouble in Slack':
        this.#system.slack.trouble(this.#random.pick(troubledMethods), this.#random.pick(troubles));
    }
  }

  /** A machine is gone while its agent is at work: the one whose agent has been the longest. */
  vanish(ms: number): void {
    const { fleet, recoveries } = this.#system;
    const [machine] = [...fleet.machines.values()]
      .filter(({ name, books }) => books.alive && !recoveries.isOrphan(name) && !this.#vanished.has(name))
      .toSorted((a, b) => (a.books.alive?.since ?? 0) - (b.books.alive?.since ?? 0));
    if (machine === undefined) return;
    machine.books.add({ kind: 'fault', fault: 'vanished' });
    this.#vanished.add(machine.name);
    machine.goSilent();
    setTimeout(() => machine.comeBack(), ms).unref();
  }

  /** Machines that have vanished since this was asked last. */
  takeVanished(): readonly string[] {
    const names = [...this.#vanished];
    this.#vanished = new Set();
    return names;
  }

  /** Ends what can be ended, and waits for the end of the rest. */
  async end(): Promise<void> {
    for (const victim of this.#system.victims) victim.thaw();
    for (const machine of this.#system.fleet.machines.values()) machine.comeBack();
    await Promise.all(this.#underWay);
    await this.#wakes.close();
  }

  #kill(victim: Victim | undefined): void {
    if (victim !== undefined) this.#system.kill(victim);
  }

  #freeze(victim: Victim | undefined, ms: number): void {
    if (victim !== undefined) this.#system.freeze(victim, ms);
  }

  async #robRedis(): Promise<void> {
    this.#system.recoveries.disturbed();
    this.lost = await this.#system.redis.loseLastSecond();
  }

  /** Wakes wait for a few milliseconds only: workers have to be held off until there are some. */
  async #dropWakes(): Promise<void> {
    await this.#wakes.pause();
    await sleep(droppingMs);
    this.droppedWakes += await this.#wakes.getWaitingCount();
    await this.#wakes.drain();
    await this.#wakes.resume();
  }

  /** A store that is put back to a moment in which its wakes were paused would keep them so. */
  #alone(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work);
    return this.#last;
  }

  #begin(work: Promise<unknown>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}
