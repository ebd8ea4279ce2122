const marker = '[redacted:private-key]';

/** Characters of a private key's block, generously. */
const longestKey = 32_768;

const begin = '-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}';
const end = '-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}';

/** A whole block, on many lines or (in an environment variable) on one. */
const wholeBlock = new RegExp(`${begin}(?:(?!----)[^]){0,${longestKey}}${end}`, 'g');
/** Where key material starts whose end was cut off: PEM, PuTTY, and the first bytes of an OpenSSH key. */
const openBlock = new RegExp(
  String.raw`${begin}|Private-Lines: \d{1,4}(?=\r?\n)|b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=]{0,80}`,
  'g',
);
const closeBlock = new RegExp(end, 'g');

/** A line break, also as it stands inside a JSON string. */
const lineBreak = /\r?\n|(?:\\r)?\\n/;
const longestLine = 512;
/** What a (trimmed) line of a private key's block looks like: base64, a header of PEM, PGP or PuTTY, or nothing. */
const keyLine =
  /^(?:[A-Za-z0-9+/=]{1,128}|(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|Private-MAC): .{0,200})?$/;
const base64 = /[A-Za-z0-9+/=]/;
/** Base64 shorter than this, on a line with something else, is taken for a word. */
const shortestPiece = 12;

/**
 * Replaces private keys (PEM, OpenSSH, PGP, PuTTY), also those of which only the beginning or only the end is
 * there. Certificates and public keys stay.
 */
export function redactPrivateKeys(text        )         {
  if (!/PRIVATE KEY|Private-Lines|b3BlbnNzaC1rZXktdjE/.test(text)) return text;
  const withoutWhole = text.replace(wholeBlock, marker);
  return withoutTails(withoutHeads(withoutWhole));
}

/** Blocks whose end is missing: from the first line as far as lines look like a key. */
function withoutHeads(text        )         {
  let result = '';
  let from = 0;
  for (const match of text.matchAll(openBlock)) {
    if (match.index < from) continue;
    result += text.slice(from, match.index) + marker;
    from = endOfKey(text, match.index + match[0].length);
  }
  return result + text.slice(from);
}

function endOfKey(text        , from        )         {
  let at = from;
  while (at < text.length) {
    const rest = text.slice(at, at + longestLine);
    const next = rest.search(lineBreak);
    const line = next < 0 ? rest : rest.slice(0, next);
    if (!keyLine.test(line.trim())) return at + pieceAtStart(text.slice(at, at + longestKey));
    if (next < 0) return at + line.length;
    at += next + (lineBreak.exec(rest)?.[0].length ?? 0);
  }
  return at;
}

/** Blocks whose beginning is missing: back from the last line as far as lines look like a key. */
function withoutTails(text        )         {
  let result = '';
  let from = 0;
  for (const match of text.matchAll(closeBlock)) {
    result += withoutKeyAtEnd(text.slice(from, match.index)) + marker;
    from = match.index + match[0].length;
  }
  return result + text.slice(from);
}

function withoutKeyAtEnd(text        )         {
  let keyStart = text.length;
  let lineEnd = text.length;
  for (const found of [...text.matchAll(new RegExp(lineBreak, 'g'))].reverse()) {
    const lineStart = found.index + found[0].length;
    const line = text.slice(lineStart, lineEnd);
    if (!keyLine.test(line.trim())) return text.slice(0, startOfPiece(line, lineEnd, keyStart));
    keyStart = lineStart;
    lineEnd = found.index;
  }
  const line = text.slice(0, lineEnd);
  return keyLine.test(line.trim()) ? '' : text.slice(0, startOfPiece(line, lineEnd, keyStart));
}

/** How much of the line's start is base64 that something else follows, such as a note that the rest was cut. */
function pieceAtStart(line        )         {
  const start = line.length - line.trimStart().length;
  let at = start;
  while (base64.test(line.charAt(at))) at += 1;
  return at - start < shortestPiece ? 0 : at;
}

/** Where base64 at the end of a line starts that something else precedes; without any, `keyStart`. */
function startOfPiece(line        , lineEnd        , keyStart        )         {
  const end = line.trimEnd().length;
  let at = end;
  while (base64.test(line.charAt(at - 1))) at -= 1;
  return end - at < shortestPiece ? keyStart : lineEnd - line.length + at;
}
