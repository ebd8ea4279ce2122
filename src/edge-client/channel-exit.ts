import type { ClientChannel } from 'ssh2';

/** How a command ended: its exit code, null when a signal ended it, undefined when the connection broke. */
export type ExitCode = number | null | undefined;

/**
 * Calls back once a command's channel is closed and all it printed has been read. It does not listen to `exit`:
 * ssh2 emits that at once, possibly before an awaited channel is looked at; `close` repeats it and waits for the
 * reader of stdout, though not for that of stderr.
 */
export function onceClosed(channel: ClientChannel, callback: (exitCode: ExitCode) => void): void {
  const { promise: stderrRead, resolve } = Promise.withResolvers<void>();
  channel.stderr.once('end', resolve);
  channel.once('close', (exitCode: ExitCode) => {
    void stderrRead.then(() => callback(exitCode));
  });
}
