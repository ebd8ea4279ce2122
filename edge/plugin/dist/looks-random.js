const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** What ssh prints of public keys: base64 of a length and a name. */
const publicKey = /^AAAA[A-Z]/;
const minHexDigits = 32;
const minBitsPerCharacter = 3.5;

/** Whether a value of at least 20 characters is more likely a generated secret than a name, path or id. */
export function looksRandom(value        )          {
  if (uuid.test(value) || publicKey.test(value) || /^[./~]/.test(value)) return false;
  if (/^[0-9a-f]+$/i.test(value)) return value.length >= minHexDigits;
  const mixed = /[a-z]/.test(value) && /[A-Z]/.test(value) && /\d/.test(value);
  return mixed && bitsPerCharacter(value) >= minBitsPerCharacter;
}

/** Shannon's entropy of the text's own characters. */
function bitsPerCharacter(text        )         {
  const counts = new Map                ();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((bits, n) => bits - (n / text.length) * Math.log2(n / text.length), 0);
}
