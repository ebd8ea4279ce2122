import type { Button, InputBlock, KnownBlock, ModalView } from '@slack/types';

/**
 * What Slack would refuse in a message's blocks, by the numbers of docs.slack.dev/reference/block-kit. Kept
 * apart from the limits that the views use, so that a wrong number there is noticed.
 */
export function blockProblems(blocks: readonly KnownBlock[]): readonly string[] {
  const problems: string[] = [];
  const limit = (what: string, length: number, max: number, min = 1) => {
    if (length > max || length < min) problems.push(`${what}: ${length}, allowed ${min} to ${max}`);
  };
  limit('blocks of the message', blocks.length, 50);
  limit('characters over all blocks', JSON.stringify(blocks).length, 13_200);
  const ids = blocks.flatMap((block) => block.block_id ?? []);
  if (new Set(ids).size < ids.length) problems.push('two blocks have the same block_id');
  for (const id of ids) limit('block_id', id.length, 255);
  for (const block of blocks) {
    switch (block.type) {
      case 'header':
        limit('header', block.text.text.length, 150);
        break;
      case 'section':
        if (block.text !== undefined) limit('section text', block.text.text.length, 3_000);
        limit('fields', block.fields?.length ?? 0, 10, 0);
        for (const field of block.fields ?? []) limit('field', field.text.length, 2_000);
        break;
      case 'context':
        limit('context elements', block.elements.length, 10);
        for (const element of block.elements) {
          if ('text' in element && typeof element.text === 'string')
            limit('context text', element.text.length, 2_000);
        }
        break;
      case 'actions':
        limit('actions', block.elements.length, 25);
        for (const element of block.elements) {
          if (element.type === 'button') buttonLimits(element, limit);
          else problems.push(`${element.type} is not one of the plain elements`);
        }
        break;
      case 'divider':
        break;
      default:
        problems.push(`${block.type} does not render everywhere`);
    }
  }
  return problems;
}

/** Whether it is the block in which people write. */
export function isInput(block: ModalView['blocks'][number]): block is InputBlock {
  return block.type === 'input';
}

/** What Slack would refuse in a window. */
export function modalProblems(view: ModalView): readonly string[] {
  const inputs = view.blocks.filter(isInput);
  const others = view.blocks.filter((block): block is KnownBlock => !isInput(block));
  const problems = [...blockProblems(others)];
  const limit = (what: string, text: string | undefined, max: number) => {
    if (text !== undefined && (text.length > max || text === ''))
      problems.push(`${what}: ${text.length}, allowed 1 to ${max}`);
  };
  limit('title', view.title.text, 24);
  limit('submit', view.submit?.text, 24);
  limit('close', view.close?.text, 24);
  limit('private_metadata', view.private_metadata, 3_000);
  limit('callback_id', view.callback_id, 255);
  if (inputs.length > 0 && view.submit === undefined) problems.push('an input needs submit');
  for (const input of inputs) {
    limit('label', input.label.text, 2_000);
    limit('hint', input.hint?.text, 2_000);
    if (input.element.type !== 'plain_text_input') problems.push(`${input.element.type} is not known here`);
    else if ((input.element.max_length ?? 3_000) > 3_000) problems.push('max_length is over 3000');
  }
  return problems;
}

function buttonLimits(
  button: Button,
  limit: (what: string, length: number, max: number, min?: number) => void,
): void {
  limit('button text', button.text.text.length, 75);
  limit('button value', button.value?.length ?? 0, 2_000, 0);
  limit('button url', button.url?.length ?? 0, 3_000, 0);
  limit('action_id', button.action_id?.length ?? 0, 255);
}
