/** What the work comes to within so many ms, or `late`; it goes on then. */
export async function inTime<Result>(work: Promise<Result>, limitMs: number): Promise<Result | 'late'> {
  const limit = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => limit.resolve('late'), limitMs);
  try {
    return await Promise.race([work, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}
