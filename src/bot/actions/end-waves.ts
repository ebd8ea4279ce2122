import { endWaiting } from '../cancel-work.ts';
import type { Services } from '../services.ts';
import { onButton } from './on-button.ts';

/** The button "End the rest" of a campaign that stopped after a wave: what waits gets no run, nothing else changes. */
export function endWavesButton(services: Services) {
  return onButton(services, 'cancel', ({ id, ...cancelling }) => endWaiting(id, cancelling));
}
