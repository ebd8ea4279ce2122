import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type YAMLError } from 'yaml';
import type { FleetFileProblem } from './errors.ts';

/** Keys and indices from the top of a document. */
export type Path = readonly (string | number)[];

/** A YAML text as plain values, with what is wrong in it and where each value stands. */
export interface YamlText {
  /** undefined when the text is too broken to go on. */
  readonly value: unknown;
  readonly problems: readonly FleetFileProblem[];
  /** Line (from 1) of the key or list item at this path, or of the nearest thing above it that is there. */
  lineOf(path: Path): number;
}

/**
 * How often aliases may be used, each counted with the aliases inside it. Enough for a few in each of
 * thousands of machines, too few for an alias bomb.
 */
const maxAliasUses = 50_000;

const yamlCures: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'Indent with spaces',
  DUPLICATE_KEY: 'Keep one of them',
  MULTIPLE_DOCS: 'Keep one document and remove the "---" between them',
  TAG_RESOLVE_FAILED: 'Remove the tag',
};

/** Reads one YAML 1.2 document. Never throws; what is wrong stands in `problems`. */
export function readYaml(text: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const toProblem = (error: YAMLError): FleetFileProblem => ({
    line: lineAt(error.pos[0]),
    path: '(YAML)',
    problem:
      error.code === 'DUPLICATE_KEY'
        ? `the key "${/^[^\s:]*/.exec(text.slice(error.pos[0], error.pos[0] + 80))?.[0]}" stands here a second time`
        : error.message,
    cure: yamlCures[error.code] ?? 'Correct the YAML here',
  });
  const problems = [...document.errors, ...document.warnings].map(toProblem);
  const readable = document.errors.every((error) => error.code === 'DUPLICATE_KEY');
  const lineOf = (path: Path): number => lineAt(offsetOf(document.contents, path));
  if (!readable) return { value: undefined, problems, lineOf };
  try {
    return { value: document.toJS({ maxAliasCount: maxAliasUses }), problems, lineOf };
  } catch {
    // The only thing that fails here is an alias: without its anchor, inside itself, or a bomb of them.
    let offset = 0;
    let unknown: string | undefined;
    visit(document, {
      Alias: (_key, alias) => {
        offset ||= alias.range?.[0] ?? 0;
        if (alias.resolve(document) !== undefined) return undefined;
        offset = alias.range?.[0] ?? 0;
        unknown = alias.source;
        return visit.BREAK;
      },
    });
    const problem =
      unknown === undefined
        ? { problem: 'aliases contain themselves or each other too often', cure: 'Write the values out' }
        : { problem: `the alias *${unknown} has no anchor above it`, cure: `Define &${unknown} first` };
    return {
      value: undefined,
      problems: [...problems, { line: lineAt(offset), path: '(YAML)', ...problem }],
      lineOf,
    };
  }
}

function offsetOf(top: unknown, path: Path): number {
  let node = top;
  let offset = 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((p) => isScalar(p.key) && String(p.key.value) === String(key));
      if (!isScalar(pair?.key)) break;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof key === 'number') {
      const item = node.items[key];
      if (!isMap(item) && !isSeq(item) && !isScalar(item) && !isAlias(item)) break;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else break;
  }
  return offset;
}
