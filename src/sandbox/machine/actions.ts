import { type ChildProcess, spawn } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { ActionReply } from '../../edge-client/gate-protocol.ts';
import { MachineError } from '../../fleet/errors.ts';
import { ActionBook, type ActionResult, type TakenAction } from './action-book.ts';
import { type ActionRule, admitCapsule } from './admit-capsule.ts';
import { processStart } from './agent-unit.ts';
import { bootId } from './boot-id.ts';

/** An action that may be interrupted and is still there so long after it was told to end goes on, and is told of. */
const haltTimeoutMs = 5_000;
const haltPollMs = 20;

export interface ActionsOptions {
  readonly machine: string;
  readonly stateDir: string;
  /** What the machine is authorised for; asked anew for every request. */
  readonly rules: () => ReadonlyMap<string, ActionRule>;
  /** Who may sign; asked anew for every request. */
  readonly signers: () => readonly KeyObject[];
  readonly clock: () => number;
  readonly log: Logger;
  /** Argument vector of what runs an action, before book and id; `run-action.ts` by default. */
  readonly runner?: readonly string[];
}

const defaultRunner = [process.execPath, fileURLToPath(new URL('./run-action.ts', import.meta.url))];

/**
 * Changes that people approved, as an edge machine's broker keeps them: each is begun at most once, in a process of
 * its own that outlives this one. Not to be called concurrently but for `result` and `underWay`.
 */
export class Actions {
  readonly #options: ActionsOptions;
  readonly #folder: string;
  readonly #book: ActionBook;
  /** Those that this process started and that have not ended. */
  readonly #runners = new Map<string, ChildProcess>();
  #lastLook: Promise<unknown> = Promise.resolve();

  constructor(options: ActionsOptions) {
    this.#options = options;
    this.#folder = join(options.stateDir, 'actions');
    this.#book = new ActionBook(this.#folder);
  }

  /** Begins what a capsule says. @throws MachineError `verb-refused`, `unit-failed`: it has not begun */
  async begin(signedCapsule: string, fence: number, agentIsGone: boolean): Promise<ActionReply> {
    const { machine, rules, signers, clock, log } = this.#options;
    const here = { machine, fence, now: clock(), signers: signers(), actions: rules() };
    const admission = admitCapsule(signedCapsule, here);
    if ('problem' in admission) throw new MachineError('verb-refused', admission.problem);
    const { capsule, rule } = admission;
    return await this.#oneAtATime(async () => {
      const used = await this.#book.record(capsule.id);
      if (used) {
        const message = `This approval was used at ${used.begunAt}, and is good for once. Ask for its result.`;
        throw new MachineError('verb-refused', message);
      }
      const current = await this.#current();
      if (current) {
        const { id, action } = current.capsule;
        throw new MachineError('unit-failed', `${action} (${id}) runs on this machine. Wait for its end.`);
      }
      if (!agentIsGone)
        throw new MachineError('unit-failed', 'The agent runs on this machine. Stop it first.');
      const { timeoutSeconds, interruptible } = rule;
      const begunAt = new Date(clock()).toISOString();
      const record = { capsule, timeoutSeconds, interruptible, begunAt, boot: await bootId() };
      await this.#book.begin(record);
      await this.#start(capsule.id);
      log.info({ approval: capsule.id, action: capsule.action, run: capsule.run, fence }, 'an action began');
      return running(record);
    });
  }

  /** What is known of an action. */
  async result(id: string): Promise<ActionReply> {
    return await this.#oneAtATime(async () => {
      const record = await this.#book.record(id);
      if (record === undefined) {
        return { id, outcome: 'unknown', detail: 'No action of this id was ever begun on this machine.' };
      }
      return (await this.#resultOf(record)) ?? running(record);
    });
  }

  /** The action that runs, or is about to. */
  async underWay(): Promise<TakenAction | undefined> {
    return await this.#oneAtATime(() => this.#current());
  }

  /** Ends the action that runs, if it may be or has not had its turn yet; resolves with the one that goes on. */
  async halt(): Promise<TakenAction | undefined> {
    await this.#oneAtATime(() => this.#takeTurns());
    let current = await this.underWay();
    const deadline = performance.now() + haltTimeoutMs;
    while (current?.interruptible && performance.now() < deadline) {
      const runner = await this.#book.runner(current.capsule.id);
      if (runner !== undefined) tellToEnd(runner.pid);
      await sleep(haltPollMs);
      current = await this.underWay();
    }
    return current;
  }

  async #takeTurns(): Promise<void> {
    for (const id of await this.#book.unfinished()) {
      const record = await this.#book.record(id);
      if (record && (await this.#book.takeTurn(id))) await this.#book.finish(neverBegan(record));
    }
  }

  async #start(id: string): Promise<void> {
    const [program = '', ...args] = this.#options.runner ?? defaultRunner;
    const child = spawn(program, [...args, this.#folder, id], { stdio: 'ignore', detached: true });
    child.unref();
    await once(child, 'spawn');
    this.#runners.set(id, child);
    child.once('exit', () => this.#runners.delete(id));
  }

  async #current(): Promise<TakenAction | undefined> {
    for (const id of await this.#book.unfinished()) {
      const record = await this.#book.record(id);
      if (record !== undefined && (await this.#resultOf(record)) === undefined) return record;
    }
    return undefined;
  }

  /** How it went; undefined while it runs. An end of which nothing was written down is written down now. */
  async #resultOf(record: TakenAction): Promise<ActionResult | undefined> {
    const { id } = record.capsule;
    const known = await this.#book.result(id);
    if (known !== undefined || (await this.#isAlive(id))) return known;
    // It may have ended since.
    const last = await this.#book.result(id);
    if (last !== undefined) return last;
    const result = (await this.#book.takeTurn(id)) ? neverBegan(record) : await leftNoResult(record);
    await this.#book.finish(result);
    return result;
  }

  async #isAlive(id: string): Promise<boolean> {
    if (this.#runners.has(id)) return true;
    const runner = await this.#book.runner(id);
    return (
      runner !== undefined && runner.pidStart !== null && (await processStart(runner.pid)) === runner.pidStart
    );
  }

  #oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastLook.then(work);
    this.#lastLook = turn.catch(() => undefined);
    return turn;
  }
}

/** SIGTERM; a process that is gone already is what was wanted. */
function tellToEnd(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function running({ capsule: { id, action }, begunAt }: TakenAction): ActionReply {
  return { id, outcome: 'running', detail: `${action} was begun at ${begunAt}.` };
}

function neverBegan({ capsule: { id, action } }: TakenAction): ActionResult {
  return { id, outcome: 'unknown', detail: `${action} never began, and cannot begin any more.` };
}

async function leftNoResult({ capsule: { id, action }, boot }: TakenAction): Promise<ActionResult> {
  if (boot === (await bootId())) {
    const detail = `${action} was ended from outside before it could say how it went: how far it came is not known.`;
    return { id, outcome: 'failed', detail };
  }
  const detail = `The machine restarted while ${action} ran: how far it came is not known. Look at the machine.`;
  return { id, outcome: 'lost', detail };
}
