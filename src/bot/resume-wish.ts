import type { Halt, ResumeWish } from '../fleet/halt.ts';

/** How long a wish to resume waits for a second person; an older one counts as none. */
export const resumeWishValidMs = 30 * 60_000;

/** The same for people. */
export const resumeWishValidity = `${resumeWishValidMs / 60_000} min`;

/** The wish to which a second person can agree at this moment. */
export function standingWish({ resumeWish }: Halt, now: number): ResumeWish | undefined {
  return resumeWish !== undefined && now - resumeWish.at <= resumeWishValidMs ? resumeWish : undefined;
}
