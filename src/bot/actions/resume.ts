import { agreeToResume, resumeWork } from '../resume-work.ts';
import type { Services } from '../services.ts';
import { onButton } from './on-button.ts';

/** The button Resume of a halt: lifts all of it, as far as the person may. */
export function resumeButton(services: Services) {
  return onButton(services, 'resume', ({ id, ...resuming }) => resumeWork(id, resuming));
}

/** The button Agree to resume: carries out what another person wanted, if that still stands as it was shown. */
export function agreeToResumeButton(services: Services) {
  return onButton(services, 'resume', ({ id, blockId, ...resuming }) => agreeToResume(id, blockId, resuming));
}
