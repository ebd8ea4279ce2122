import { heldBackAt } from '../fleet/held-back.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Run, Withheld } from '../fleet/run.ts';
import { silencedWords, silenceFor } from '../fleet/silence.ts';
import type { RedisBudgets } from './budgets.ts';
import type { RedisSilences } from './silences.ts';

export interface RestraintsOptions {
  readonly silences: Pick<RedisSilences, 'holding' | 'holdBack'>;
  /** Whether the incident's alerts for this machine and check are all resolved. */
  readonly isOver: (incident: string, machine: string, check: string) => Promise<boolean>;
  readonly budgets: Pick<RedisBudgets, 'obstacle'>;
  readonly clock: () => number;
}

/** The supervisors' Restraints: silences, maintenance windows, alerts that are over, and budgets that are used up. */
export class RedisRestraints {
  readonly #options: RestraintsOptions;

  constructor(options: RestraintsOptions) {
    this.#options = options;
  }

  async obstacle(run: Run, machine: Machine, moment: Withheld['moment']): Promise<Withheld | undefined> {
    if (moment === 'run' && (await this.#isOver(run, machine))) {
      return { moment, kind: 'resolved', reason: 'the alerts that asked for it are resolved' };
    }
    if (moment === 'agent') {
      const reason = await this.#options.budgets.obstacle(run, machine);
      return reason === undefined ? undefined : { moment, kind: 'over-budget', reason };
    }
    const held = heldBackAt(run, moment);
    if (held === undefined) return undefined;
    const { silences, clock } = this.#options;
    const silence = silenceFor(await silences.holding(machine), machine, clock());
    if (silence === undefined) return undefined;
    await silences.holdBack(silence, [held], run.id);
    return {
      ...{ moment, kind: 'silenced', reason: silencedWords(silence) },
      ...(silence.by.kind === 'person' && { by: silence.by }),
    };
  }

  async #isOver({ request: { requester, task } }: Run, { name }: Machine): Promise<boolean> {
    if (requester.kind !== 'alert' || task.kind !== 'check') return false;
    return this.#options.isOver(requester.incident, name, task.check);
  }
}
