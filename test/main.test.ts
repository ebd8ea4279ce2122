import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** What a start with these settings alone prints before it gives up. */
function startWith(env: Record<string, string>): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, 'start'], { env }, (_error, _stdout, stderr) => resolve(stderr));
  });
}

it('a start that fails shows no password, wherever it stands', async () => {
  const said = await startWith({ MLFLOW_TRACKING_URI: 'http://ann:hunter2-secret@mlflow.test:5000' });
  expect(said).toContain('MLFLOW_TRACKING_URI');
  expect(said).not.toContain('hunter2');
});
