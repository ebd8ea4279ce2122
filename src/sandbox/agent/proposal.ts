import type { Topic } from './topic.ts';

/** The actions that a task lists, as `fleet/task-message.ts` writes them. */
const listPattern = /^If one of these actions .*\n((?:(?:- | {4}).*\n)+)To propose one\b/gm;
const actionPattern = /^- ([a-z0-9-]+): (.*)\n((?: {4}.*\n)*)/gm;
const paramPattern = /^ {4}(\w+): (.*)$/gm;
/** The first value that a parameter may have, where it has to be given and is no free text. */
const firstValuePattern = /^(?:one of |only |a whole number from )(-?[^,; ]+)/;

/**
 * The line that proposes the first action of the task's list that could cure what the topic is about; undefined where
 * there is none, or where it wants a value that nobody but a person could know.
 */
export function proposalLine(task: string, topic: Topic): string | undefined {
  const list = [...task.matchAll(listPattern)].at(-1)?.[1] ?? '';
  for (const [, name = '', summary = '', params = ''] of list.matchAll(actionPattern)) {
    if (!topic.cures?.test(`${name} ${summary}`)) continue;
    const values = [...params.matchAll(paramPattern)]
      .filter(([, , rule = '']) => !rule.endsWith(' if left out'))
      .map(([, param, rule = '']) => ({ param, value: firstValuePattern.exec(rule)?.[1] }));
    if (values.some(({ value }) => value === undefined)) continue;
    return ['PROPOSE:', name, ...values.map(({ param, value }) => `${param}=${value}`)].join(' ');
  }
  return undefined;
}
