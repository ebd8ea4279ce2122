import { decide } from '../decide.ts';
import type { Services } from '../services.ts';
import { onButton } from './on-button.ts';

/** The button Approve of a card. */
export function approveButton(services: Services) {
  return onButton(services, 'approve', ({ id, blockId: shownIn, ...deciding }) =>
    decide(id, { kind: 'approve', shownIn }, deciding),
  );
}
