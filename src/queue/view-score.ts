/** Best first; the same order as in the bot's port. */
export const viewPriorities = ['decision', 'verdict', 'progress'] as const;
export type ViewPriority = (typeof viewPriorities)[number];

/** More than any time in ms, and small enough to stay exact in a double. */
const priorityStep = 1e13;

/** Where a view stands among the dirty ones: priority first, then the time it became dirty. Lowest first. */
export function viewScore(priority: ViewPriority, atMs: number): number {
  return viewPriorities.indexOf(priority) * priorityStep + atMs;
}

export function priorityOf(score: number): ViewPriority {
  return viewPriorities[Math.floor(score / priorityStep)] ?? 'progress';
}
