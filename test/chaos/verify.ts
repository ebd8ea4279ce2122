import type { Run } from '../../src/fleet/run.ts';
import type { FakeMessage } from '../support/fake-workspace.ts';
import type { SimulatedMachine } from '../support/simulated-fleet/simulated-machine.ts';
import type { LostWindow } from './chaos-redis.ts';
import type { PlannedCommand } from './plan-traffic.ts';
import type { Sent } from './postman.ts';
import type { Records } from './records.ts';
import { shownProblem } from './shown-problem.ts';

/** A promise that was not kept, and what it is about, for whoever looks for the reason. */
export interface Violation {
  readonly sentence: string;
  readonly runId?: string;
  readonly machine?: string;
}

/** What the checks look at. */
export interface Evidence {
  readonly sent: ReadonlyMap<string, Sent>;
  /** The checks that were asked for after everything was well again. */
  readonly calm: readonly PlannedCommand[];
  readonly records: Records;
  readonly messages: readonly FakeMessage[];
  readonly machines: readonly SimulatedMachine[];
  readonly lost: LostWindow | undefined;
}

export interface Findings {
  readonly violations: readonly Violation[];
  /** What is excepted: requests that were acknowledged, or messages posted, in Redis' last second. */
  readonly lostWithRedis: number;
  readonly toldTwiceWithRedis: number;
}

/** Where the time stands in the id of a run or a campaign, in base 36. */
const idTime = [2, 10] as const;
/** How long it may take to store what has an id. */
const storedAfterMs = 2_000;

/** Whether Redis lost what it was told at this time, ms since the epoch. */
export function isLost(lost: LostWindow | undefined, at: number): boolean {
  return lost !== undefined && at >= lost.from && at <= lost.to;
}

/** Holds the books of the machines, the records, the messages and the receipts against one another. */
export function verify(evidence: Evidence): Findings {
  return new Verification(evidence).run();
}

class Verification {
  readonly #evidence: Evidence;
  readonly #violations: Violation[] = [];
  readonly #runsByEvent: ReadonlyMap<string, readonly Run[]>;
  #lost = 0;
  readonly #twice = new Set<string>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#runsByEvent = Map.groupBy(evidence.records.runs.values(), ({ request }) => request.eventId);
  }

  run(): Findings {
    for (const sent of this.#evidence.sent.values()) {
      this.#requests(sent);
      this.#cancellations(sent);
    }
    for (const run of this.#evidence.records.runs.values()) this.#ended(run);
    this.#calm();
    this.#messages();
    this.#machines();
    return { violations: this.#violations, lostWithRedis: this.#lost, toldTwiceWithRedis: this.#twice.size };
  }

  /** Acknowledged: one run for each machine. Refused: none. Otherwise: all or none. */
  #requests({ command, receipts }: Sent): void {
    const { trigger, machines } = command;
    const stored = receipts.filter(({ kind }) => kind === 'stored');
    const inLastSecond = this.#inLastSecond(Math.min(...stored.map(({ at }) => at)));
    const runs = this.#runsByEvent.get(`cmd:${trigger}`) ?? [];
    const byMachine = Map.groupBy(runs, ({ request }) => request.machine);
    for (const machine of machines) {
      const mine = byMachine.get(machine) ?? [];
      const about = { machine, ...(mine[0] && { runId: mine[0].id }) };
      if (mine.length > 1 && inLastSecond) this.#twice.add(`${trigger} ${machine}`);
      else if (mine.length > 1) this.#violate(`${trigger} became ${mine.length} runs`, about);
      else if (mine.length === 0 && stored.length > 0) {
        if (inLastSecond) this.#lost += 1;
        else this.#violate(`${trigger} was acknowledged and is lost`, about);
      } else if (mine.length === 0 && runs.length > 0) this.#violate(`${trigger} was stored in part`, about);
      else if (mine.length > 0 && receipts.every(({ kind }) => kind === 'refused')) {
        this.#violate(`${trigger} was refused (${receipts[0]?.text}) and stored all the same`, about);
      }
    }
  }

  #cancellations({ cancels }: Sent): void {
    for (const { runId, receipt } of cancels) {
      const run = this.#evidence.records.runs.get(runId);
      const asked = receipt.kind === 'stored' && /Cancelled before|Asked to stop/.test(receipt.text);
      if (!asked || run === undefined || this.#inLastSecond(receipt.at)) continue;
      if (run.cancellation === undefined)
        this.#violate('a cancellation was acknowledged and is lost', { runId });
    }
  }

  #ended({ id, state, verdict, request }: Run): void {
    const about = { runId: id, machine: request.machine };
    if (state !== 'done') this.#violate(`a run is still ${state}`, about);
    else if (verdict === undefined) this.#violate('a run is done without a verdict', about);
  }

  /** Once everything is well, every machine serves a request as if nothing had happened. */
  #calm(): void {
    for (const { trigger, machines } of this.#evidence.calm) {
      const [run] = this.#runsByEvent.get(`cmd:${trigger}`) ?? [];
      if (run?.verdict === 'ok' && run.inertness === 'inactive' && !run.diagnosis?.failure) continue;
      const about = { ...(run && { runId: run.id }), ...(machines[0] && { machine: machines[0] }) };
      this.#violate(
        `the last check, with nothing broken any more, ended ${run?.verdict ?? 'nowhere'}`,
        about,
      );
    }
    for (const machine of this.#evidence.records.quarantined) {
      this.#violate('the machine is still quarantined', { machine });
    }
  }

  /** Every block that is ours stands in one message, and shows what the record says. */
  #messages(): void {
    const { messages, records } = this.#evidence;
    const byBlock = new Map<string, FakeMessage[]>();
    for (const message of messages.filter(({ ephemeralTo }) => ephemeralTo === undefined)) {
      for (const { block_id: block } of message.blocks ?? []) {
        if (block?.match(/^(run|campaign|notice):/))
          byBlock.set(block, [...(byBlock.get(block) ?? []), message]);
      }
    }
    for (const [block, twins] of byBlock) {
      const [, runId = ''] = block.split(':');
      const known = records.runs.has(runId) || records.campaigns.has(runId) || block.startsWith('notice:');
      const inLastSecond = twins.some((message) => this.#postedInLastSecond(message));
      if (!known && !this.#lostRecord(runId))
        this.#violate(`${block} is shown, and its record is gone`, { runId });
      if (twins.length === 1 || !block.match(/:(main|verdict|diagnosis|entry)$/)) continue;
      if (inLastSecond) this.#twice.add(runId);
      else this.#violate(`${block} stands in ${twins.length} messages`, { runId });
    }
    const shown = (block: string) => byBlock.get(block) ?? [];
    for (const [id, run] of records.runs) {
      if (run.request.campaign === undefined) this.#shown(id, shown(`run:${id}:main`));
    }
    for (const id of records.campaigns.keys()) this.#shown(id, shown(`campaign:${id}:main`));
  }

  #shown(id: string, messages: readonly FakeMessage[]): void {
    const message = messages.at(-1);
    const problem =
      message === undefined ? 'is not shown at all' : shownProblem(id, this.#evidence.records, message);
    if (problem !== undefined) this.#violate(problem, { runId: id });
  }

  #machines(): void {
    for (const { name: machine, books } of this.#evidence.machines) {
      for (const sentence of books.violations()) this.#violate(sentence, { machine });
      if (books.alive !== undefined) {
        this.#violate('an agent still runs', { machine, runId: books.alive.run });
      }
    }
  }

  /** Whether Redis may have lost this record: its id tells when it was made, a moment before it was stored. */
  #lostRecord(id: string): boolean {
    const madeAt = Number.parseInt(id.slice(...idTime), 36);
    const { lost } = this.#evidence;
    return lost !== undefined && madeAt <= lost.to && madeAt + storedAfterMs >= lost.from;
  }

  #inLastSecond(at: number): boolean {
    return isLost(this.#evidence.lost, at);
  }

  /** A message's `ts` tells seconds. */
  #postedInLastSecond({ ts }: FakeMessage): boolean {
    const { lost } = this.#evidence;
    const second = Math.floor(Number(ts));
    return (
      lost !== undefined && second >= Math.floor(lost.from / 1_000) && second <= Math.floor(lost.to / 1_000)
    );
  }

  #violate(sentence: string, about: Omit<Violation, 'sentence'>): void {
    this.#violations.push({ sentence, ...about });
  }
}
