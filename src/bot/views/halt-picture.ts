import { type Halt, type HaltMember, type HaltOutcome, holder, lifter } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';

/** One machine of a halt. */
export interface HaltedMachine {
  readonly name: string;
  readonly member: HaltMember;
}

/** The machines of a halt, sorted by what people want to know of them. */
export interface HaltPicture {
  /** Those for which it holds, by what is known of them. */
  readonly held: Readonly<Record<HaltOutcome, readonly HaltedMachine[]>>;
  readonly heldCount: number;
  /** Those from which it was lifted: the lock is gone, or not yet, or could not be taken away so far. */
  readonly unlocked: readonly HaltedMachine[];
  readonly stillLocked: readonly HaltedMachine[];
  readonly notUnlocked: readonly HaltedMachine[];
  /** Of the unlocked ones those that something else had locked at that moment. */
  readonly lockedElse: readonly HaltedMachine[];
  /** Those that left the fleet file, or that the selector matches no longer: nothing is done with them. */
  readonly gone: readonly HaltedMachine[];
}

/** Sorts the machines of a halt by the fleet file in force. */
export function haltPicture(
  halt: Halt,
  members: ReadonlyMap<string, HaltMember>,
  machines: ReadonlyMap<string, Machine>,
): HaltPicture {
  const holds = holder(halt);
  const isLifted = lifter(halt);
  const all = [...members].map(([name, member]) => ({ name, member, machine: machines.get(name) }));
  const held = all.filter(({ machine }) => machine !== undefined && holds(machine));
  const lifted = all.filter(({ machine }) => machine !== undefined && isLifted(machine));
  const concerned = new Set([...held, ...lifted]);
  const of = (outcome: HaltOutcome) => held.filter(({ member }) => member.outcome === outcome);
  const unlocked = lifted.filter(({ member }) => member.outcome === 'unlocked');
  const stillLocked = lifted.filter(({ member }) => member.outcome !== 'unlocked');
  return {
    held: {
      // A machine that the halt holds for again is locked again.
      pending: [...of('pending'), ...of('unlocked')],
      inactive: of('inactive'),
      ending: of('ending'),
      unreachable: of('unreachable'),
      failed: of('failed'),
      unlocked: [],
    },
    heldCount: held.length,
    unlocked,
    stillLocked,
    notUnlocked: stillLocked.filter(
      ({ member }) => member.outcome === 'unreachable' || member.outcome === 'failed',
    ),
    lockedElse: unlocked.filter(({ member }) => member.detail !== undefined),
    gone: all.filter((each) => !concerned.has(each)),
  };
}
