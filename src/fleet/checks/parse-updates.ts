/** Packages that would be updated. `security` is as far as the tool and its repositories tell. */
export interface PendingUpdates {
  readonly all: readonly string[];
  readonly security: readonly string[];
}

/**
 * The packages that `dnf check-update` lists, of dnf 4 and 5: `name.arch version repository`, wrapped where it
 * is too long for 80 columns; then, under a heading, what obsoletes what. undefined: a line is none of these.
 */
export function parseCheckUpdate(text: string): readonly string[] | undefined {
  const [table = ''] = text.split(/^Obsoleting packages.*$/im);
  const rows = table
    // A continued row begins with white space.
    .replace(/\n[ \t]+(?=\S)/g, ' ')
    .split('\n')
    .map((row) => row.trim())
    .filter((row) => row !== '' && !isRemark(row));
  const names = rows.map((row) => /^(\S+\.[a-z0-9_]+)\s+\S+\s+\S+$/.exec(row)?.[1]);
  const known = names.filter((name) => name !== undefined);
  return known.length === names.length ? known : undefined;
}

/** What dnf says beside the table: an installed kernel that does not run yet, its cache's age, a heading. */
function isRemark(row: string): boolean {
  return /^(?:Security: |Last metadata expiration check|Available upgrades$|Updating Subscription)/.test(row);
}

/**
 * The packages that `apt-get --simulate dist-upgrade` would upgrade: `Inst NAME [OLD] (NEW ORIGIN… [ARCH])`.
 * New packages have no old version and are not counted. undefined without its summary, `N upgraded, …`.
 */
export function parseAptSimulation(text: string): PendingUpdates | undefined {
  if (!/^\d+ upgraded, \d+ newly installed/m.test(text)) return undefined;
  const upgrades = [...text.matchAll(/^Inst (\S+) \[[^\]\n]*\] \(([^)\n]*)\)/gm)];
  const names = (of: typeof upgrades): string[] => of.map(([, name = '']) => name);
  return {
    all: names(upgrades),
    // Debian's origin is Debian-Security, Ubuntu's suite NAME-security.
    security: names(upgrades.filter(([, , origins = '']) => /-security\b/i.test(origins))),
  };
}

/**
 * When package metadata last came from a repository, in milliseconds since the epoch by the machine's clock:
 * the latest time that `find -printf '%T@ %p\n'` printed. undefined where there is none.
 */
export function newestMetadata(text: string, pattern: RegExp): number | undefined {
  const times = [...text.matchAll(/^(\d+)(?:\.\d+)? (\/.*)$/gm)]
    .filter(([, , path = '']) => pattern.test(path))
    .map(([, seconds]) => Number(seconds) * 1000);
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b));
}
