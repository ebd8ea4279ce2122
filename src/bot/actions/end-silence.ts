import { endSilence } from '../end-silence.ts';
import type { Services } from '../services.ts';
import { onButton } from './on-button.ts';

/** The button End now of a silence. */
export function endSilenceButton(services: Services) {
  return onButton(services, 'silence', ({ id, ...ending }) => endSilence(id, ending));
}
