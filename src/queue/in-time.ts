/** Waits for the work to end, well or not, but no longer than this. Returns whether it did. */
export async function inTime(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  const ended = work.then(
    () => true,
    () => true,
  );
  const inTime = await Promise.race([ended, tooLate]);
  clearTimeout(timer);
  return inTime;
}
