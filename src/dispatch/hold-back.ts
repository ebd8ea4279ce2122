import type { LeftOut } from '../fleet/campaign.ts';
import { heldBackFrom } from '../fleet/held-back.ts';
import { silencedWords, silencer } from '../fleet/silence.ts';
import type { HoldBack } from './hand-in.ts';
import type { Clock, Silences } from './ports.ts';

/** Says which machines are silenced for a wish that no person made by hand, and notes it. */
export function createHoldBack({ silences, clock }: { silences: Silences; clock: Clock }): HoldBack {
  return async (machines, { task, requester, eventId }) => {
    const leftOut: LeftOut[] = [];
    const silenced = Map.groupBy(machines, silencer(await silences.holding(), clock()));
    for (const [silence, those] of silenced) {
      const held = those.flatMap(({ name }) => heldBackFrom(requester, task, name) ?? []);
      if (silence === undefined || held.length === 0) continue;
      await silences.holdBack(silence, held, eventId);
      const { until } = silence;
      leftOut.push(...held.map(({ machine }) => ({ machine, why: silencedWords(silence), until })));
    }
    return leftOut;
  };
}
