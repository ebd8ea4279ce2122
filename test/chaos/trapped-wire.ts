import type { Trap, Traps } from './traps.ts';
import { type Command, startWire, type Wire } from './wire.ts';

export interface TrappedWireOptions {
  readonly redisPort: number;
  readonly traps: Traps;
  /** Sees every command of ours. Returns whether a trap may kill its process now. */
  readonly mayTrap: (command: Command) => boolean;
  /** Kills the process. */
  readonly kill: (trap: Trap) => void;
}

/** A wire whose process is killed where a trap is set: before Redis gets the write, or before the process hears of it. */
export function startTrappedWire({ redisPort, traps, mayTrap, kill }: TrappedWireOptions): Promise<Wire> {
  let sprung: Trap | undefined;
  return startWire(
    redisPort,
    (command) => {
      const may = mayTrap(command);
      const trap = traps.spring(command, may && sprung === undefined);
      if (trap === undefined) return 'pass';
      if (trap.phase === 'before') {
        kill(trap);
        return 'hold';
      }
      sprung = trap;
      return 'deafen';
    },
    () => {
      const trap = sprung;
      sprung = undefined;
      if (trap !== undefined) kill(trap);
    },
  );
}
