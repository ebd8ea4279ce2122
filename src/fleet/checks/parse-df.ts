/** One line of `df -PkT` or `df -PiT`. Numbers are df's own: KiB blocks, or inodes. */
export interface DfRow {
  readonly device: string;
  readonly type: string;
  readonly total: number;
  readonly used: number;
  /** What users may still fill: without what the file system keeps for root. */
  readonly free: number;
  /**
   * df's own Capacity or IUse% column: used of used and free, not of the total. undefined where df prints `-`
   * (nothing that could fill up).
   */
  readonly usedPercent: number | undefined;
  readonly mount: string;
}

/** The header that GNU and BusyBox df print in the C locale. */
const headerPattern = /^Filesystem\s+Type\s+(?:1024-blocks|Inodes)\s/;

/** Device, type, total, used, free, percent, mount. Device and mount may hold spaces; mounts begin with `/`. */
const rowPattern = /^(\S.*?)\s+(\S+)\s+(\d+|-)\s+(\d+|-)\s+(-?\d+|-)\s+(?:(\d+)%|-)\s+(\/.*)$/;

/**
 * Reads df's table. `unread` holds the lines that are no rows; undefined when the header is not the one of
 * the C locale.
 */
export function parseDf(text: string): { rows: readonly DfRow[]; unread: readonly string[] } | undefined {
  const [header = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  if (!headerPattern.test(header)) return undefined;
  const rows: DfRow[] = [];
  const unread: string[] = [];
  for (const line of lines) {
    const [, device, type, total, used, free, percent, mount] = rowPattern.exec(line) ?? [];
    if (device === undefined || type === undefined || mount === undefined) unread.push(line);
    else {
      rows.push({
        device,
        type,
        total: Number(total) || 0,
        used: Number(used) || 0,
        free: Math.max(0, Number(free) || 0),
        usedPercent: percent === undefined ? undefined : Number(percent),
        mount,
      });
    }
  }
  return { rows, unread };
}
