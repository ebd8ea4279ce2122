/** Words of PromQL that look like metrics. */
const words = new Set(['and', 'or', 'unless', 'bool', 'offset']);

/** What groups or joins by labels, and ranges: names in them are no metrics. */
const clauses = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\[[^\]]*\]/g;
const selectors = /(?<![\w:"])([a-zA-Z_:][\w:]*)(\{[^}]*\})?(?!\s*\(|[\w:{])/g;

/** The selectors of an expression, `name` or `name{label="value"}`, as they stand in it. */
export function selectorsOf(expr: string): string[] {
  return [...expr.replaceAll(clauses, '').matchAll(selectors)]
    .filter(([, name = '']) => !words.has(name))
    .map(([selector]) => selector);
}
