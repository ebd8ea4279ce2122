import type { SupervisedMachine } from './supervised-machine.ts';

const never = new AbortController().signal;

/** A worker that stands still at a point: dead as far as anybody can see, until it is let go on. */
export class Zombie {
  readonly #wakeUp = Promise.withResolvers<void>();
  readonly #still = Promise.withResolvers<void>();
  ended: Promise<void> = Promise.resolve();

  /** @param nth at which of several calls of this name */
  static async at(on: SupervisedMachine, call: string, when: 'before' | 'after', nth = 1): Promise<Zombie> {
    const zombie = new Zombie();
    let seen = 0;
    const hold = (name: string) => {
      if (name === call) seen += 1;
      if (name !== call || seen !== nth) return;
      zombie.#still.resolve();
      return zombie.#wakeUp.promise;
    };
    zombie.ended = on.supervisor({ [when]: hold })(await on.claim(), never);
    await zombie.#still.promise;
    return zombie;
  }

  /** Resolves when it has seen that it is not needed any more. */
  async goOn(): Promise<void> {
    this.#wakeUp.resolve();
    await this.ended;
  }
}
