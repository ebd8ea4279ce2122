/**
 * Whether the whole text matches the glob, in which `*` stands for any characters (also none) and `?` for
 * exactly one. Everything else stands for itself. At most `text.length × glob.length` steps, whatever is typed.
 */
export function matchesGlob(text: string, glob: string): boolean {
  let at = 0;
  let inGlob = 0;
  let star = -1;
  let resumeAt = 0;
  while (at < text.length) {
    if (glob[inGlob] === '*') {
      star = inGlob++;
      resumeAt = at;
    } else if (inGlob < glob.length && (glob[inGlob] === '?' || glob[inGlob] === text[at])) {
      inGlob++;
      at++;
    } else if (star >= 0) {
      // The last star has to swallow one character more.
      inGlob = star + 1;
      at = ++resumeAt;
    } else {
      return false;
    }
  }
  while (glob[inGlob] === '*') inGlob++;
  return inGlob === glob.length;
}
