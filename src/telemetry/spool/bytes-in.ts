import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What stands in a folder and in those in it, in bytes. What vanishes meanwhile counts nothing. Never rejects. */
export async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await bytesIn(path);
    else {
      bytes += await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
    }
  }
  return bytes;
}
