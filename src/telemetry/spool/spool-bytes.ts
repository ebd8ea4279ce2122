import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isLife } from './own-life.ts';
import { refusedFile } from './refused-spans.ts';

/**
 * What waits in a spool's folder and what MLflow refused, in bytes. What others keep there counts nothing, nor what
 * vanishes meanwhile. Never rejects.
 */
export async function spoolBytes(folder: string): Promise<number> {
  const lives = (await pathsIn(folder, isLife)).map((life) => pathsIn(life));
  const files = [refusedFile(folder), ...(await Promise.all(lives)).flat()];
  const sizes = await Promise.all(files.map(bytesOf));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

async function pathsIn(folder: string, isMeant = (_name: string) => true): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter(isMeant).map((name) => join(folder, name));
}

function bytesOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
