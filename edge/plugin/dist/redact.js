import { assignmentRules } from './assignment-rules.js';
import { placeRules } from './place-rules.js';
import { redactPrivateKeys } from './redact-private-keys.js';
import { marker,                 } from './redact-rule.js';
import { tokenRules } from './token-rules.js';

const rules                        = [...tokenRules, ...placeRules, ...assignmentRules];

/** What is hidden can bring out something else beside it; a text is settled after two rounds, nearly always. */
const maxRounds = 5;

/** Far above every limit on outputs and answers. Regular expressions run out of stack beyond. */
const maxCharacters = 4_000_000;

/**
 * Replaces every secret in a text with `[redacted:KIND]`: tokens, passwords, private keys, URLs' credentials.
 * The one redactor for spans, Slack and logs. Idempotent; takes time linear in the text. Doubt hides: where a
 * name says "password", whatever follows goes. What is longer than four million characters is cut there.
 */
export function redact(text        )         {
  if (text.length > maxCharacters) return redact(text.slice(0, maxCharacters)) + marker('too-long');
  let before = text;
  for (let round = 0; round < maxRounds; round += 1) {
    const after = redactOnce(before);
    if (after === before) break;
    before = after;
  }
  return before;
}

function redactOnce(text        )         {
  return rules.reduce(
    (result, { pattern, replacement }) =>
      typeof replacement === 'string'
        ? result.replace(pattern, replacement)
        : result.replace(pattern, replacement),
    redactPrivateKeys(text),
  );
}
