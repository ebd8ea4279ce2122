import { hostname, userInfo } from 'node:os';

/** Who runs this program, as `USER@HOST`. */
export function operatorName(): string {
  return `${userName()}@${hostname()}`;
}

/** A container's user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'somebody');
  }
}
