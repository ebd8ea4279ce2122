import { InputError } from '../fleet/errors.ts';
import type { Seals } from './ports.ts';

/**
 * What signs people's wishes and decisions.
 * @throws InputError where this bot has no decision key: without one nothing leads to a change
 */
export function requireSeals({ seals }: { readonly seals: Seals | undefined }): Seals {
  if (seals !== undefined) return seals;
  throw new InputError(
    'This fleetbot has no decision key, so no change can be asked for or decided here. An operator has to make one with `fleetbot decision key <file>` and set `FLEETBOT_DECISION_KEY` for the bot.',
  );
}
