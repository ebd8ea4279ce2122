import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file for which a machine's agent or command waits; see `agents/waits.ts`. */
export class Hold implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'fleetbot-hold-'));
  readonly file = join(this.folder, 'go');

  /** Whoever comes from now on waits. */
  take(): void {
    rmSync(this.file, { force: true });
  }

  release(): void {
    writeFileSync(this.file, '');
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
