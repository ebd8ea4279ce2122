import type { Check } from '../check.ts';
import type { CommandOutput } from '../evidence.ts';
import type { Finding, Severity } from '../finding.ts';
import type { Machine } from '../machine.ts';
import { composeQuestion, subjectsOf } from './compose-question.ts';
import { inconclusive, readOutput } from './read-output.ts';

const showProperties = 'Id,LoadState,ActiveState,SubState,Result';

/** Whether the units that must be active are, and which other units failed (systemctl(1)). */
export const services: Check = {
  name: 'services',
  summary: 'units that must be active, and failed units',
  commands: (machine) => {
    const units = machine.expect.services.active;
    const failed = ['systemctl', 'list-units', '--no-pager', '--no-legend', '--plain', '--state=failed'];
    if (units.length === 0) return [failed];
    return [['systemctl', 'show', '--no-pager', `--property=${showProperties}`, '--', ...units], failed];
  },
  judge: (machine, outputs) => {
    const units = machine.expect.services.active;
    const shown = units.length === 0 ? { findings: [], ids: [] } : judgeShown(units, outputs);
    return [...shown.findings, ...judgeFailed(machine, outputs, units.length === 0 ? 0 : 1, shown.ids)];
  },
  question: (machine, findings) =>
    composeQuestion(
      machine,
      findings,
      'services',
      (bad) =>
        `Find out why ${subjectsOf(bad)} is not as it should be: its last log lines, its exit code, what it depends on, and what changed before it stopped. Say what would bring it back, and how sure you are. Change nothing.`,
      'All are as they should be. Look whether one of them restarts often or logs errors. Change nothing.',
    ),
};

/** `ids` are systemd's own names of the listed units: what is listed under an alias is not judged twice. */
function judgeShown(
  units: readonly string[],
  outputs: readonly CommandOutput[],
): { findings: Finding[]; ids: string[] } {
  const { text, problem } = readOutput(outputs, 0);
  if (text === undefined || problem !== undefined) {
    return { findings: [inconclusive('services', problem ?? 'there is no output', 0)], ids: [] };
  }
  const blocks = text
    .split(/\n\s*\n/)
    .filter((block) => block.trim() !== '')
    .map(readProperties);
  if (blocks.length !== units.length) {
    const reason = `systemctl described ${blocks.length} units where ${units.length} were asked for`;
    return { findings: [inconclusive('services', reason, 0)], ids: [] };
  }
  return {
    findings: units.map((unit, index) => judgeUnit(unit, blocks[index] ?? new Map())),
    ids: blocks.flatMap((block) => block.get('Id') ?? []),
  };
}

function readProperties(block: string): ReadonlyMap<string, string> {
  return new Map(
    block.split('\n').flatMap((line) => {
      const equals = line.indexOf('=');
      return equals < 1 ? [] : [[line.slice(0, equals), line.slice(equals + 1)] as const];
    }),
  );
}

function judgeUnit(unit: string, properties: ReadonlyMap<string, string>): Finding {
  const active = properties.get('ActiveState');
  const loaded = properties.get('LoadState');
  const sub = properties.get('SubState') ?? '';
  if (active === undefined || loaded === undefined) {
    return inconclusive(unit, 'systemctl did not tell its LoadState and ActiveState', 0);
  }
  const isActive = active === 'active' || active === 'reloading';
  const finding = (severity: Severity, state: string): Finding => ({
    severity,
    subject: unit,
    text: `${unit} ${state} (must be active)`,
    output: 0,
    measure: { value: isActive ? 1 : 0, unit: 'active' },
  });
  if (isActive) return finding('ok', `is ${active} (${sub})`);
  if (loaded === 'not-found') return finding('critical', 'is not installed');
  if (loaded === 'masked') return finding('critical', 'is masked, so it cannot start');
  if (sub === 'auto-restart') return finding('critical', 'has ended and waits for its next restart');
  if (active === 'activating') return finding('warning', `is still starting (${sub})`);
  const result = properties.get('Result');
  const why = result === undefined || result === '' || result === 'success' ? '' : `, result ${result}`;
  return finding('critical', `is ${active} (${sub}${why})`);
}

function judgeFailed(
  machine: Machine,
  outputs: readonly CommandOutput[],
  index: number,
  judged: readonly string[],
): Finding[] {
  const { text, problem } = readOutput(outputs, index);
  const findings = problem === undefined ? [] : [inconclusive('failed units', problem, index)];
  if (text === undefined) return findings;
  const severity = machine.expect.services.warnOnFailed ? 'warning' : 'ok';
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const [unit = '', , state] = line.trim().split(/\s+/);
    if (state !== 'failed') {
      findings.push(inconclusive('failed units', `systemctl printed a line that is no unit: ${line}`, index));
    } else if (!judged.includes(unit)) {
      findings.push({
        severity,
        subject: unit,
        text: `${unit} has failed${severity === 'ok' ? ' (not judged here)' : ''}`,
        output: index,
        measure: { value: 0, unit: 'active' },
      });
    }
  }
  if (findings.length > 0) return findings;
  const others = judged.length > 0 ? 'no other unit has failed' : 'no unit has failed';
  return [{ severity: 'ok', subject: 'failed units', text: others, output: index }];
}
