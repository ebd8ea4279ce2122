import { cancelWork } from '../cancel-work.ts';
import type { Services } from '../services.ts';
import { onButton } from './on-button.ts';

/** The button Cancel of a run. A second click says that it is being cancelled, or is. */
export function cancelButton(services: Services) {
  return onButton(services, 'cancel', ({ id, ...cancelling }) => cancelWork(id, cancelling));
}
