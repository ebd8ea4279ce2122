import type { Params } from './action.ts';

/** A part of a template: text that stands for itself, or the name of what takes its place. */
export type TemplatePiece = { readonly literal: string } | { readonly name: string };

const placeholder = /\{([a-z][a-zA-Z0-9]{0,31})\}/;

/** A template cut at its `{name}`s; no piece is empty. */
export function templatePieces(template: string): readonly TemplatePiece[] {
  // Splitting by a pattern with one group yields text and names in turn.
  return template
    .split(placeholder)
    .map((text, index) => (index % 2 === 0 ? { literal: text } : { name: text }))
    .filter((piece) => 'name' in piece || piece.literal !== '');
}

/** The names in a template, each once. */
export function namesIn(template: string): readonly string[] {
  const names = templatePieces(template).flatMap((piece) => ('name' in piece ? [piece.name] : []));
  return [...new Set(names)];
}

/** Whether it holds a brace that is no part of a `{name}`. */
export function hasStrayBrace(template: string): boolean {
  return templatePieces(template).some((piece) => 'literal' in piece && /[{}]/.test(piece.literal));
}

/**
 * The template with values in place of names. What a value holds is never read as a template.
 * @throws RangeError for a name without a value (a bug)
 */
export function fillTemplate(template: string, values: Params): string {
  return templatePieces(template)
    .map((piece) => {
      if ('literal' in piece) return piece.literal;
      const value = Object.hasOwn(values, piece.name) ? values[piece.name] : undefined;
      if (value === undefined) throw new RangeError(`no value for {${piece.name}}`);
      return value;
    })
    .join('');
}
