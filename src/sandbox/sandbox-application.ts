import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Something on the sandbox's machine that can be put right, or wrong, without harm: the files of no application. */
export interface SandboxApplication {
  /** Grew too large. */
  readonly logFile: string;
  /** Holds a line `reports=on`. */
  readonly configFile: string;
}

const logLine = '2026-01-01T00:00:00Z sandbox-app: nothing happened, and I tell you all the same\n';
/** More than the fleet file's critical limit. */
const logBytes = 8 * 1_024 * 1_024;

/** Writes its files. @param folder an empty one */
export function newSandboxApplication(folder: string): SandboxApplication {
  const [logFile, configFile] = [join(folder, 'app.log'), join(folder, 'app.conf')];
  writeFileSync(logFile, Buffer.alloc(logBytes, logLine));
  writeFileSync(configFile, 'listen=8080\nreports=on\n');
  return { logFile, configFile };
}
