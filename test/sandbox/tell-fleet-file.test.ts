import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { sandboxFleetFile } from '../../src/sandbox/sandbox-fleet.ts';
import { tellFleetFile } from '../../src/sandbox/tell-fleet-file.ts';

const timeoutMs = 15_000;

it('each edit of the fleet file is told at the terminal: in force, or refused with line and problem', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fleetbot-told-'));
  try {
    const file = join(folder, 'fleet.yaml');
    const application = { logFile: join(folder, 'app.log'), configFile: join(folder, 'app.conf') };
    const text = sandboxFleetFile({ port: 22, hostKey: newKeyPair().publicKey }, application);
    writeFileSync(file, text);
    const told: string[] = [];
    await using _telling = await tellFleetFile(file, (line) => told.push(line));
    const next = async (edited: string) => {
      const { length } = told;
      writeFileSync(file, edited);
      await expect.poll(() => told.length, { timeout: timeoutMs }).toBe(length + 1);
      return told.at(-1);
    };

    expect(await next(text.replace('#expect', 'expect'))).toBe('The new fleet file is in force.');
    const line = text.split('\n').findIndex((one) => one.includes('address:')) + 1;
    const refusal = await next(text.replace('address:', 'adress:'));
    expect(refusal).toContain('The fleet file cannot be used; the old one stays in force:');
    expect(refusal).toMatch(new RegExp(`${file}:${line - 1}|${file}:${line}: .*adress`));
    expect(await next(text)).toBe('The new fleet file is in force.');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
