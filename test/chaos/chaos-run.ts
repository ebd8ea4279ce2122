import { setTimeout as sleep } from 'node:timers/promises';
import { Calamities } from './calamities.ts';
import type { ChaosSystem } from './chaos-system.ts';
import type { Calamity } from './plan-calamities.ts';
import { channelIds, type PlannedCommand, personIds, type Traffic } from './plan-traffic.ts';
import { Postman } from './postman.ts';
import { pollMs, runsDone, Stuck, tellMs, untilQuiet } from './progress.ts';
import type { Random } from './random.ts';
import { keepSlackRoomy } from './roomy-slack.ts';
import type { Storm } from './storm.ts';
import type { Traps } from './traps.ts';

const stallMs = 120_000;
/** Traps are all set once this part of the requests is done; the rest is for those that must wait for theirs. */
const trapsSetAt = 0.6;
/** Requests that provoke what the last traps wait for: so many rounds at most, of so many machines. */
const hunts = 12;
const huntMachines = 6;
const huntCancelMs = 50;
const huntVanishings = 3;
const huntVanishMs = 15_000;
const huntSilenceMs = 6_000;

/** What a run of the suite is made of. */
export interface ChaosRunParts {
  readonly system: ChaosSystem;
  readonly storm: Storm;
  readonly traps: Traps;
  readonly random: Random;
}

/** Drives the system through everything, in the order of what is done, not of time. */
export class ChaosRun {
  readonly postman: Postman;
  readonly calamities: Calamities;
  readonly #parts: ChaosRunParts;

  constructor(parts: ChaosRunParts) {
    const { system, random } = parts;
    this.#parts = parts;
    this.calamities = new Calamities(system, random.fork('calamities'));
    this.postman = new Postman(system, () => this.calamities.lost);
  }

  /** Sends everything while everything happens. @throws Stuck */
  async storm(traffic: Traffic, planned: readonly Calamity[], requests: number): Promise<void> {
    using _room = keepSlackRoomy(this.#parts.system);
    const givenUp = new AbortController();
    try {
      await this.#watch(this.postman.deliverAll(traffic.deliveries, givenUp.signal), planned, requests);
      await this.#hunt();
    } catch (error) {
      givenUp.abort();
      throw error;
    }
  }

  /**
   * Everything is well from now on: waits until nothing is left to be done, and has each machine checked once
   * more. Resolves with these checks. @throws Stuck
   */
  async calm(): Promise<readonly PlannedCommand[]> {
    const { system, storm, traps } = this.#parts;
    using _room = keepSlackRoomy(system);
    storm.end();
    traps.takeAway();
    await this.calamities.end();
    await untilQuiet(system, 'after the storm');
    const last = [...system.fleet.machines.keys()].map((machine) => this.#check('calm', machine));
    await this.postman.deliverAll(last.map((command, bot) => ({ command, bot })));
    await untilQuiet(system, 'after the last round');
    return last;
  }

  async #watch(sending: Promise<unknown>, planned: readonly Calamity[], requests: number): Promise<void> {
    const { system, traps } = this.#parts;
    const { tell } = system;
    let sent = false;
    const all = sending.then(() => {
      sent = true;
    });
    const due = [...planned];
    let [before, changedAt, toldAt] = [-1, Date.now(), Date.now()];
    for (;;) {
      const done = await runsDone(system);
      traps.setUpTo(done / requests / trapsSetAt);
      const count = due.findIndex(({ atDone }) => atDone > done);
      for (const calamity of due.splice(0, count < 0 ? due.length : count)) {
        tell(`${calamity.kind}${calamity.ms > 0 ? ` for ${calamity.ms} ms` : ''}`);
        this.calamities.befall(calamity);
      }
      if (done !== before) [before, changedAt] = [done, Date.now()];
      if (Date.now() - toldAt > tellMs) {
        toldAt = Date.now();
        tell(`${done} of ${requests} requests are done`);
      }
      if (sent && done >= this.postman.owed) return all;
      if (Date.now() - changedAt > stallMs) throw new Stuck(`nothing moves on after ${done} requests`);
      await sleep(pollMs);
    }
  }

  /** Provokes what the traps that are left wait for. */
  async #hunt(): Promise<void> {
    const { system, storm, traps, random } = this.#parts;
    traps.setUpTo(1);
    storm.slowDown();
    for (let hunt = 0; hunt < hunts && traps.left.length > 0; hunt += 1) {
      system.tell(
        `still waiting for: ${traps.left.map(({ write, phase }) => `${phase} ${write}`).join(', ')}`,
      );
      const wantsQuarantine = traps.left.some(({ write }) => write.startsWith('quarantine'));
      const machines = random.shuffled([...system.fleet.machines.values()]).slice(0, huntMachines);
      const asked = new Set([...machines.map(({ name }) => name), ...this.calamities.takeVanished()]);
      const commands = [...asked].map((machine) => this.#check(`hunt.${hunt}`, machine));
      // The first one cannot be measured, so that its run ends early; the last one is cancelled.
      const [deaf] = machines;
      deaf?.goSilent();
      setTimeout(() => deaf?.comeBack(), huntSilenceMs).unref();
      const last = commands.pop();
      if (last) commands.push({ ...last, cancelAfterMs: huntCancelMs });
      await this.postman.deliverAll(commands.map((command, bot) => ({ command, bot })));
      for (let count = 0; wantsQuarantine && count < huntVanishings; count += 1) {
        this.calamities.vanish(huntVanishMs);
      }
      await untilQuiet(system, 'while traps were left');
    }
  }

  #check(name: string, machine: string): PlannedCommand {
    const { random } = this.#parts;
    return {
      trigger: `${name}.${machine}`,
      userId: random.pick(personIds),
      channel: random.pick(channelIds),
      text: `check ${machine} disk`,
      machines: [machine],
    };
  }
}
