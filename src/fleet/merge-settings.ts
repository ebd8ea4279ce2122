/** A group of `key: value` lines. */
type Group = Readonly<Record<string, unknown>>;

/**
 * Settings of `over` upon those of `under`: groups are merged key by key, everything else (lists too) is
 * replaced as a whole. So is a check of one's own with the same name: half of each would be a third check
 * that nobody wrote. Neither argument is changed.
 */
export function mergeSettings(under: Group, over: Group): Group {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = under[key];
    if (!isGroup(below) || !isGroup(value)) merged[key] = value;
    else merged[key] = key === 'customChecks' ? { ...below, ...value } : mergeSettings(below, value);
  }
  return merged;
}

/** Whether a value of the file is a group of `key: value` lines. */
export function isGroup(value: unknown): value is Group {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
