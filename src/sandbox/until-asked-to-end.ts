const parentPollMs = 1_000;

/**
 * Resolves with what asks this process to end, a signal or the end of the npm that started it: npm does not
 * always pass a signal on. The process does not end by itself then.
 */
export function untilAskedToEnd(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve);
    // Without npm the parent may be a shell, which may end on purpose (`nohup`).
    if (process.env.npm_lifecycle_event === undefined) return;
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) resolve('the end of npm');
    }, parentPollMs).unref();
  });
}
