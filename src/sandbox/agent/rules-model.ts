import type { Model, Observation } from './model.ts';
import { proposalLine } from './proposal.ts';
import type { Topic } from './topic.ts';
import { topics } from './topics.ts';

const signature = '(rule-based sandbox agent, not a language model; tokens are counted words)';

/** What it says its model is. */
export const rulesModelName = 'sandbox-rules';

/**
 * The sandbox's "model": rules. It finds the topic of a task by its words, has that topic's read-only commands
 * run, and writes down the numbers that they printed. It judges nothing by itself: where a verdict is asked for,
 * it repeats the one that the supervisor reached. An action that would cure what was found, or what a person would have
 * cleaned up, it proposes.
 */
export function createRulesModel(): Model {
  return {
    name: rulesModelName,
    async next(task, observations) {
      const topic = topicOf(task);
      const command = topic && commandsOf(topic)[observations.length];
      if (command !== undefined) return { kind: 'exec', command };
      const sentences = topic === undefined ? [confession()] : explain(topic, observations);
      const endLines = [...proposal(task, topic), ...verdictLine(task)];
      return { kind: 'answer', text: [...sentences, signature, ...endLines].join('\n') };
    },
  };
}

/**
 * The topic that a task (`fleet/task-message.ts`) is about. A check's question names what was measured, a
 * person's question stands between two lines of dashes; everything else around them would only mislead.
 */
function topicOf(task: string): Topic | undefined {
  const measured = /\bmeasured the (.+?) of /.exec(task)?.[1];
  const asked = /^(-{5,})\n(.*?)\n\1$/ms.exec(task)?.[2];
  const text = measured ?? asked ?? task;
  const scored = topics.map((topic) => ({ topic, score: text.match(topic.words)?.length ?? 0 }));
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a));
  return best.score > 0 ? best.topic : undefined;
}

function commandsOf({ commands, denied }: Topic): readonly string[] {
  return denied === undefined ? commands : [...commands, denied];
}

function explain(topic: Topic, observations: readonly Observation[]): string[] {
  const failures = observations.filter(({ exitCode }) => exitCode !== 0).map(failure);
  if (failures.length === observations.length) return failures;
  return [...topic.explain(observations.map(({ output }) => output)), ...failures];
}

function failure({ command, exitCode, output }: Observation): string {
  if (exitCode === null && output.includes('exec denied')) {
    return `\`${command}\` was denied: nothing that I run may change this machine.`;
  }
  const ended = exitCode === null ? 'did not finish' : `ended with exit code ${exitCode}`;
  return `\`${command}\` ${ended}: ${output.trim().split('\n').at(-1) || 'it printed nothing'}`;
}

function confession(): string {
  const names = topics.map(({ name }) => name).join(', ');
  return `I did not understand the question: I only know rules for ${names}. Ask about one of these, for example "what fills the disk?".`;
}

function verdictLine(task: string): string[] {
  if (!/^VERDICT: /m.test(task)) return [];
  return [`VERDICT: ${verdictIn(task) ?? 'inconclusive'}`];
}

/** A question alone is no reason to change anything, unless it asks for that. */
function proposal(task: string, topic: Topic | undefined): string[] {
  const verdict = verdictIn(task);
  const wanted = verdict === 'warning' || verdict === 'critical' || topic?.denied !== undefined;
  const line = wanted && topic !== undefined ? proposalLine(task, topic) : undefined;
  return line === undefined ? [] : [line];
}

function verdictIn(task: string): string | undefined {
  return /^By the rules of the fleet file that is: (\w+)\.$/m.exec(task)?.[1];
}
