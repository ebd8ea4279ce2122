import { z } from 'zod';

/** A block, or something in one: docs.slack.dev/reference/block-kit. */
const nodeSchema = z.object({
  type: z.string().catch(''),
  text: z.unknown().optional(),
  url: z.string().optional().catch(undefined),
  /** What a date is shown as where it cannot be formatted. */
  fallback: z.string().optional().catch(undefined),
  elements: z.array(z.unknown()).catch([]),
  fields: z.array(z.unknown()).catch([]),
});
type Node = z.infer<typeof nodeSchema>;

/** Deeper than any message that Slack accepts. */
const maxDepth = 8;

/** What blocks say, as lines of mrkdwn; buttons and pictures say nothing. */
export function blockLines(blocks: readonly unknown[], depth = 0): readonly string[] {
  if (depth > maxDepth) return [];
  return blocks.flatMap((block) => {
    const node = nodeSchema.safeParse(block).data;
    return node === undefined ? [] : linesOf(node, depth).flatMap((text) => text.split('\n'));
  });
}

function linesOf(node: Node, depth: number): readonly string[] {
  switch (node.type) {
    case 'header':
    case 'section':
    case 'markdown':
      return [textOf(node.text), ...node.fields.map(fieldLine)];
    case 'context':
      return node.elements.map(textOf);
    case 'rich_text':
    case 'rich_text_list':
      return blockLines(node.elements, depth + 1);
    case 'rich_text_section':
    case 'rich_text_quote':
    case 'rich_text_preformatted':
      return [node.elements.map(textOf).join('')];
    default:
      return [];
  }
}

/** The text of a text object, or of an element of a rich text. */
function textOf(element: unknown): string {
  if (typeof element === 'string') return element;
  const node = nodeSchema.safeParse(element).data;
  if (node === undefined) return '';
  return typeof node.text === 'string' ? node.text : (node.url ?? node.fallback ?? '');
}

/** A field of a section has its name in a line of its own, in bold: as one line `NAME: VALUE`. */
function fieldLine(field: unknown): string {
  return textOf(field).replace(/^\*([^*\n]+?):?\*:?\n/, '$1: ');
}
