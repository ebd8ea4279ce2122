import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Which rooms a room may import from, beside itself; single files of a room are named with their path. */
const arrows: Record<string, readonly string[]> = {
  fleet: [],
  queue: ['fleet'],
  'edge-client': ['fleet'],
  telemetry: ['fleet'],
  runtime: ['fleet'],
  supervisors: ['fleet'],
  bot: ['fleet'],
  signer: ['fleet'],
  alerts: ['fleet'],
  dispatch: ['fleet'],
  'on-call': ['fleet'],
  sandbox: ['fleet', 'runtime', 'edge-client/gate-protocol.ts', 'telemetry/redact.ts'],
  commands: ['fleet', 'queue', 'edge-client', 'telemetry', 'runtime', 'supervisors'],
  'main.ts': [
    'commands',
    'fleet',
    'queue',
    'edge-client',
    'telemetry',
    'runtime',
    'supervisors',
    'bot',
    'signer',
    'alerts',
    'dispatch',
    'on-call',
  ],
};

const src = join(import.meta.dirname, '../../src');
const importPattern =
  /^(?:import|export)\b[^;]*?\bfrom\s+'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'|^import\s+'(\.[^']+)'/gm;

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(importPattern)].map((match) => ({
    from: file,
    to: normalize(join(dirname(file), match[1] ?? match[2] ?? match[3] ?? '')),
  }));
}

const room = (file: string) => file.split('/')[0] ?? file;

function forbidden(imports: readonly Import[]): string[] {
  return imports
    .filter(({ from, to }) => {
      if (to.startsWith('..')) return !to.startsWith('../package.json');
      if (room(from) === room(to)) return false;
      const allowed = arrows[room(from)] ?? [];
      return !allowed.some((target) => target === to || target === room(to));
    })
    .map(({ from, to }) => `${from} → ${to}`);
}

function cycles(imports: readonly Import[]): string[] {
  const targets = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file].join(' → '));
    if (start >= 0 || done.has(file)) return;
    for (const { to } of targets.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return found;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(src, file), 'utf8')));

describe('the rooms of src', () => {
  it('are all named in the table of arrows', () => {
    expect(new Set(files.map(room)).difference(new Set(Object.keys(arrows)))).toEqual(new Set());
  });

  it('import only along the arrows of the design', () => {
    expect(forbidden(imports)).toEqual([]);
  });

  it('have no import cycle', () => {
    expect(cycles(imports)).toEqual([]);
  });

  it('import only files that exist', () => {
    const known = new Set(files);
    const missing = imports.filter(({ to }) => !known.has(to) && !to.startsWith('..'));
    expect(missing).toEqual([]);
  });
});

describe('what is installed on a machine', () => {
  it('imports of the centre only what redacts, which the plugin takes along', () => {
    const edge = join(import.meta.dirname, '../../edge');
    const programs = readdirSync(edge, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.m?ts$/.test(file),
    );
    const foreign = programs
      .flatMap((file) => importsOf(file, readFileSync(join(edge, file), 'utf8')))
      .filter(({ to }) => to.startsWith('..'));
    expect(new Set(foreign.map(({ to }) => to))).toEqual(new Set(['../src/telemetry/redact.ts']));
  });
});

describe('the rule itself', () => {
  it('sees every form of import', () => {
    const text =
      "import { a } from './a.ts';\nexport type { b } from '../queue/b.ts';\nawait import('./c.ts');\nimport {\n  d,\n} from './d.ts';\n";
    expect(importsOf('fleet/x.ts', text).map(({ to }) => to)).toEqual([
      'fleet/a.ts',
      'queue/b.ts',
      'fleet/c.ts',
      'fleet/d.ts',
    ]);
  });

  it('fails on an arrow against the design and on a cycle', () => {
    const wrong = [
      { from: 'fleet/a.ts', to: 'queue/b.ts' },
      { from: 'queue/b.ts', to: 'fleet/a.ts' },
    ];
    expect(forbidden(wrong)).toEqual(['fleet/a.ts → queue/b.ts']);
    expect(cycles(wrong)).toEqual(['fleet/a.ts → queue/b.ts → fleet/a.ts']);
  });
});
