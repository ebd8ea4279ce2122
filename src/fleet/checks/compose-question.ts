import type { Finding } from '../finding.ts';
import type { Machine } from '../machine.ts';

/**
 * The question of a check: what the supervisor found, and then what to look into: `deeper` when something is
 * not ok (the findings in question are handed over), `ahead` when all is well.
 */
export function composeQuestion(
  machine: Machine,
  findings: readonly Finding[],
  topic: string,
  deeper: (bad: readonly Finding[]) => string,
  ahead: string,
): string {
  const bad = findings.filter((finding) => finding.severity !== 'ok');
  const found = findings.map((finding) => `- ${finding.severity}: ${finding.text}`);
  const intro = `The supervisor measured the ${topic} of ${machine.name} (role ${machine.role}) itself and found:`;
  return [intro, ...(found.length > 0 ? found : ['- nothing']), bad.length > 0 ? deeper(bad) : ahead].join(
    '\n',
  );
}

/** The subjects of findings, each once, as a list in a sentence: `/var, /home`. */
export function subjectsOf(findings: readonly Finding[]): string {
  return [...new Set(findings.map((finding) => finding.subject))].join(', ');
}
