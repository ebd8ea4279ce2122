import { redact } from './redact.js';

/** As much of a text as the supervisor's own spans show. */
const maxCharacters = 32_000;
/** What is looked at: more than is shown, so that a secret at the cut is seen whole. */
const maxInputCharacters = 2 * maxCharacters;

/** The only way for text into a span: without secrets, and not too long. */
export function clean(text        )         {
  const shown = redact(text.slice(0, maxInputCharacters)).slice(0, maxCharacters);
  const more = text.length - maxCharacters;
  return more > 0 ? `${shown}… (about ${more} more characters)` : shown;
}
