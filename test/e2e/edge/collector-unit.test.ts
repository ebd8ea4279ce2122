import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onPath } from '../parts/system-package.ts';

const folder = join(import.meta.dirname, '../../../deploy/collector');
const unit = readFileSync(join(folder, 'fleetbot-collector.service'), 'utf8');
const settings = readFileSync(join(folder, 'collector.env.example'), 'utf8');

/** `systemd-analyze security` counts from 0, shut in, to 10. */
const mostExposed = 20;

describe('the unit of the central collector', () => {
  it('names files that are there, under the names that systemd gives them', () => {
    const named = [...`${unit}${settings}`.matchAll(/config_([\w-]+\.yaml)/g)].map(([, file = '']) => file);
    const missing = [...new Set(named)].filter((file) => !existsSync(join(folder, file)));
    // Printed by `fleetbot collector prices`.
    expect(missing).toEqual(['prices.yaml']);
  });

  it('has an example of every setting that its configurations read', () => {
    const configs = ['central', 'central-tls', 'mlflow-basic', 'mlflow-bearer'];
    const read = configs.map((name) => readFileSync(join(folder, `${name}.yaml`), 'utf8')).join('\n');
    const names = new Set([...read.matchAll(/\$\{env:(\w+)/g)].map(([, name = '']) => name));
    const set = new Set(
      [...`${unit}${settings}`.matchAll(/^(?:Environment=|#)?([A-Z_]+)=/gm)].map(([, name]) => name),
    );
    expect([...names].filter((name) => !set.has(name))).toEqual([]);
  });

  it('does not start the collector where a setting that has no default is empty, and names it', () => {
    const [, script = ''] = /^ExecStartPre=\/bin\/sh -euc '([^']+)'$/m.exec(unit) ?? [];
    // As systemd reads it: a line that goes on, and a dollar that is no variable of its own.
    const check = script.replaceAll('\\\n', ' ').replaceAll('$$', '$');
    const central = readFileSync(join(folder, 'central.yaml'), 'utf8');
    const names = [...new Set([...central.matchAll(/\$\{env:(\w+)\}/g)].map(([, name = '']) => name))];
    expect(names).toContain('MLFLOW_EXPERIMENT_ID');
    const whole = Object.fromEntries(names.map((name) => [name, 'x']));
    const start = (env: Readonly<Record<string, string>>) =>
      spawnSync('/bin/sh', ['-euc', check], { encoding: 'utf8', env: { ...env } });
    expect(start(whole)).toMatchObject({ status: 0, stderr: '' });
    for (const name of names) {
      const { status, stderr } = start({ ...whole, [name]: '' });
      expect(status).not.toBe(0);
      expect(stderr).toContain(`${name}: is empty: `);
    }
  });

  it.skipIf(!onPath('systemd-analyze'))('is understood by systemd, and leaves little to break out of', () => {
    const copy = mkdtempSync(join(tmpdir(), 'fleetbot-unit-'));
    try {
      const file = join(copy, 'fleetbot-collector.service');
      // systemd asks that the program be there.
      writeFileSync(file, unit.replaceAll('/usr/local/bin/otelcol', process.execPath));
      for (const question of [['verify'], ['security', '--offline=true', `--threshold=${mostExposed}`]]) {
        const { status, stderr } = spawnSync('systemd-analyze', [...question, file], { encoding: 'utf8' });
        expect([question, status, stderr]).toEqual([question, 0, '']);
      }
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
});
