import type { Check, Measured } from '../check.ts';
import type { CommandOutput } from '../evidence.ts';
import type { Finding } from '../finding.ts';
import { formatNumber } from '../format.ts';
import type { Machine } from '../machine.ts';
import { composeQuestion, subjectsOf } from './compose-question.ts';
import { judgeLimits } from './judge-limits.ts';
import { parseNotAfter } from './parse-not-after.ts';
import { quoteLine } from './quote-line.ts';
import { inconclusive, readOutput } from './read-output.ts';

const msPerDay = 86_400_000;

/**
 * How long the listed certificates are still valid, by the supervisor's clock: a machine whose clock is wrong
 * misjudges its own. As root, because certificates often lie beside their keys.
 */
export const certs: Check = {
  name: 'certs',
  summary: 'how long certificates are still valid',
  root: true,
  commands: (machine) =>
    machine.expect.certs.files.map((file) => [
      'openssl',
      'x509',
      '-in',
      file,
      '-noout',
      '-enddate',
      '-subject',
    ]),
  judge: (machine, outputs, measured) => {
    const { files } = machine.expect.certs;
    if (files.length === 0) {
      const reason =
        'the fleet file lists no certificate; write their paths under expect.certs.files, for example [/etc/pki/tls/certs/localhost.crt]';
      return [inconclusive('certs', reason, 0)];
    }
    return files.map((file, index) => judgeFile(machine, file, outputs, index, measured));
  },
  question: (machine, findings) =>
    composeQuestion(
      machine,
      findings,
      'certificates',
      (bad) =>
        `Find out about ${subjectsOf(bad)}: which service uses it, who issued it, and what was to renew it (a timer, certbot, certmonger) and why it did not. Do not read private keys. Say what would help, and how sure you are. Change nothing.`,
      'All are valid for long enough. Look whether they are renewed by themselves, and whether that last worked. Do not read private keys. Change nothing.',
    ),
};

function judgeFile(
  machine: Machine,
  file: string,
  outputs: readonly CommandOutput[],
  index: number,
  { now }: Measured,
): Finding {
  const { text, problem } = readOutput(outputs, index);
  if (text === undefined || problem !== undefined) {
    // The reason stands on the first line or, up to OpenSSL 3.1, on a later one.
    if (outputs[index]?.exitCode === 1 && outputs[index].stderr.includes('No such file or directory')) {
      return { severity: 'critical', subject: file, text: `${file} is not there`, output: index };
    }
    return inconclusive(file, problem ?? 'there is no output', index);
  }
  const notAfter = parseNotAfter(text);
  if (notAfter === undefined) return inconclusive(file, 'openssl did not tell its end (notAfter)', index);
  const days = (notAfter - now) / msPerDay;
  const { warnDays: warn, criticalDays: critical } = machine.expect.certs;
  const { severity, limit } = judgeLimits(days, { warn, critical, bad: 'low' }, 'days');
  const name = quoteLine(/^subject=(.*)$/m.exec(text)?.[1] ?? '');
  const end = new Date(notAfter).toISOString().slice(0, 10);
  const left =
    days < 0 ? `expired ${wholeDays(-days)} ago, on ${end}` : `is valid for ${wholeDays(days)}, until ${end}`;
  return {
    severity,
    subject: file,
    text: `${file} ${left} (${limit}), for ${name}`,
    output: index,
    measure: { value: days, unit: 'days' },
  };
}

function wholeDays(days: number): string {
  if (days < 1) return 'less than a day';
  return `${formatNumber(Math.floor(days))} ${Math.floor(days) === 1 ? 'day' : 'days'}`;
}
