/*
 * MLflow reads every text of a span as JSON, as far as it is some. Where Python cannot, because a structure is nested
 * about 1,000 deep or a number has more than 4,300 digits, it refuses all spans that it was sent together with this one.
 * The output of a command may be such a text. Measured with MLflow 3.17.2.
 */

/** JSON that is neither a text nor a word. */
const jsonStart = /^\s*[[{\d-]/;

const maxBrackets = 800;
const maxDigits = 4_000;

/** The same text, with a word before it where MLflow could not read it. */
export function harmlessText(text: string): string {
  if (!jsonStart.test(text)) return text;
  const isTooDeep = text.split(/[[{]/).length > maxBrackets;
  const isTooLong = text.split(/\D+/).some((digits) => digits.length > maxDigits);
  return isTooDeep || isTooLong ? `(text) ${text}` : text;
}
