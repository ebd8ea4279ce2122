import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const timeoutMs = 15_000;
const module = join(import.meta.dirname, '../../src/sandbox/until-asked-to-end.ts');
const waiter = `
  const { untilAskedToEnd } = await import(${JSON.stringify(module)});
  const asked = untilAskedToEnd();
  setInterval(() => {}, ${timeoutMs});
  console.log('waiting');
  console.log(await asked);
  process.exit();
`;

it('the sandbox is asked to end by the end of the npm that started it', async () => {
  // A shell in the place of npm; the second command keeps it from becoming the first.
  const npm = spawn('sh', ['-c', '"$0" --input-type=module -e "$1"; true', process.execPath, waiter], {
    env: { ...process.env, npm_lifecycle_event: 'sandbox' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  npm.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await expect.poll(() => output, { timeout: timeoutMs }).toBe('waiting\n');
  npm.kill('SIGKILL');
  await expect.poll(() => output, { timeout: timeoutMs }).toBe('waiting\nthe end of npm\n');
});
