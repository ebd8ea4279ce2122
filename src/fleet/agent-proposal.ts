import type { Catalogue } from './action.ts';
import { readEndLines } from './end-lines.ts';
import { readParams, renderAction } from './render-action.ts';
import type { Proposal } from './run.ts';
import { suggest } from './suggest.ts';

/** The action that the agent proposes, or why that cannot be asked for, as a sentence for people. */
export type ReadProposal = { readonly proposal: Proposal } | { readonly problem: string };

const nothing = /^(?:none|nothing|no action|n\/a|-)?\.?$/i;

/**
 * Reads the line `PROPOSE: ACTION name=value …` at the end of an agent's words. undefined where it proposes nothing.
 * @param comment redacted
 * @param actions those of the machine
 */
export function readProposal(comment: string, actions: Catalogue): ReadProposal | undefined {
  const { proposal: source } = readEndLines(comment);
  if (source === undefined || nothing.test(source)) return undefined;
  const [name = '', ...params] = source.split(/\s+/);
  const action = actions.get(name);
  if (action === undefined) {
    const meant = suggest(name, actions.keys());
    const near = meant === undefined ? '' : ` The nearest one is ${meant}.`;
    return { problem: `The agent proposed "${source}", but this machine has no action ${name}.${near}` };
  }
  const read = readParams(params);
  if ('problem' in read) return { problem: `The agent proposed "${source}": ${read.problem}` };
  const rendered = renderAction(action, read.params);
  if ('problem' in rendered) return { problem: `The agent proposed "${source}": ${rendered.problem}` };
  return { proposal: { action: name, params: read.params, source } };
}
