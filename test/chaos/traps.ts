import type { RunState } from '../../src/fleet/run.ts';
import type { Random } from './random.ts';
import type { Command } from './wire.ts';

/** A write during which its process is killed: just before Redis gets it, or before the process hears of it. */
export interface Trap {
  readonly write: string;
  readonly phase: 'before' | 'after';
}

/** Every move that a worker can store, and the stray note of progress. */
const transitions: readonly (readonly [RunState, RunState])[] = [
  ['queued', 'gathering'],
  ['gathering', 'starting'],
  ['gathering', 'done'],
  ['starting', 'tasking'],
  ['starting', 'stopping'],
  ['tasking', 'tasking'],
  ['tasking', 'stopping'],
  ['stopping', 'starting'],
  ['stopping', 'done'],
];

const transition = (from: string, to: string) => `${from} → ${to}`;
const workerWrites = [
  ...transitions.map(([from, to]) => transition(from, to)),
  ...['claim', 'raise of the fence', 'quarantine', 'quarantine lifted'],
];
const botWrites = ['acceptance', 'cancellation', 'intent to post', 'note of the post'];

/** Writes that few runs come by: whoever waits for them should begin early. */
const rareWrites = new Set([
  transition('gathering', 'done'),
  transition('starting', 'stopping'),
  transition('tasking', 'tasking'),
  ...['quarantine', 'quarantine lifted', 'cancellation'],
]);

/** Both kinds of kill for every write of a worker or a bot, the rare ones first, else as the seed decides. */
export function allTraps(random: Random): Trap[] {
  const phases = ['before', 'after'] as const;
  const writes = [...workerWrites, ...botWrites];
  const traps = random.shuffled(writes.flatMap((write) => phases.map((phase) => ({ write, phase }))));
  return traps.toSorted((a, b) => Number(rareWrites.has(b.write)) - Number(rareWrites.has(a.write)));
}

/** The write that a command is; undefined for one that no trap waits for. */
function writeOf({ name, words }: Command): string | undefined {
  switch (name) {
    case 'saveRun':
      return transition(words[2] ?? '', words[3] ?? '');
    case 'claimRun':
      return 'claim';
    case 'raiseFence':
      return 'raise of the fence';
    case 'setQuarantine':
      return words[2] === '' ? 'quarantine lifted' : 'quarantine';
    case 'cancelRun':
      return 'cancellation';
    case 'acceptRuns':
      return 'acceptance';
    default:
      return undefined;
  }
}

const setAtOnce = 2 * rareWrites.size;

/**
 * The traps of one run of the suite: the first ones are set from the beginning, the others one after the other as
 * the run gets on. A trap stays set until its write comes.
 */
export class Traps {
  readonly #waiting: Trap[];
  readonly #set: Trap[] = [];
  readonly sprung: Trap[] = [];
  readonly #intended = new Set<string>();
  #over = false;

  constructor(traps: readonly Trap[]) {
    this.#waiting = [...traps];
    this.#set.push(...this.#waiting.splice(0, setAtOnce));
  }

  /** Sets the traps that are due once this part of the requests (0–1) is done. */
  setUpTo(part: number): void {
    const total = this.#waiting.length + this.#set.length + this.sprung.length;
    const due = Math.min(total, Math.ceil(total * part));
    while (total - this.#waiting.length < due) this.#set.push(...this.#waiting.splice(0, 1));
  }

  /** No more: what is left stays unsprung. */
  takeAway(): void {
    this.#over = true;
  }

  /** The trap that this command springs, if one is set for it and it `may`. */
  spring(command: Command, may: boolean): Trap | undefined {
    const write = writeOf(command) ?? this.#postOf(command);
    if (this.#over || !may) return undefined;
    const index = this.#set.findIndex((trap) => trap.write === write);
    const [trap] = index < 0 ? [] : this.#set.splice(index, 1);
    if (trap !== undefined) this.sprung.push(trap);
    return trap;
  }

  /** A post is noted once it is made; later notes of the same part are of edits. */
  #postOf({ name, words: [key, field = ''] }: Command): string | undefined {
    if (name !== 'HSET') return undefined;
    const [kind, ...part] = field.split(':');
    const post = `${key} ${part.join(':')}`;
    if (kind === 'intended') {
      this.#intended.add(post);
      return 'intent to post';
    }
    return kind === 'posted' && this.#intended.delete(post) ? 'note of the post' : undefined;
  }

  /** Those that nobody has stepped into. */
  get left(): readonly Trap[] {
    return [...this.#set, ...this.#waiting];
  }
}
