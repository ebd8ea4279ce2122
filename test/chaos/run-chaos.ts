import { rmSync } from 'node:fs';
import { ChaosRun } from './chaos-run.ts';
import { ChaosSystem } from './chaos-system.ts';
import type { ChaosOptions } from './options.ts';
import { planCalamities } from './plan-calamities.ts';
import { planTraffic } from './plan-traffic.ts';
import { Stuck } from './progress.ts';
import { Random } from './random.ts';
import { readRecords } from './records.ts';
import { books, recoveryLines, violationLines } from './report.ts';
import { Storm } from './storm.ts';
import { allTraps, Traps } from './traps.ts';
import { type Evidence, type Findings, isLost, type Violation, verify } from './verify.ts';
import { verifyLedger } from './verify-ledger.ts';

const fewestMachines = 24;
/** Redis keeps the last 50 runs of a machine; all of them must be there to be counted. */
const requestsPerMachine = 40;
/** What a process logs before it ends by an error of its own. */
const crashed = 'an error that nobody caught';

/** Runs the suite once and prints what it found. Resolves with whether every promise was kept. */
export async function runChaos(options: ChaosOptions): Promise<boolean> {
  const { seed, requests, kills } = options;
  const startedAt = Date.now();
  const print = (text: string) => process.stdout.write(`${text}\n`);
  const tell = (line: string) => {
    const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
    process.stderr.write(`${seconds.padStart(6)} s  ${line}\n`);
  };
  print(`seed ${seed}: ${requests} requests, ${kills} random kills`);

  const random = new Random(String(seed));
  const storm = new Storm(random.fork('storm'));
  const traps = new Traps(allTraps(random.fork('traps')));
  const machines = Math.max(fewestMachines, Math.ceil(requests / requestsPerMachine));
  const system = await ChaosSystem.start({ machines, storm, traps, tell });
  tell(`${machines} machines, ${system.workers.length} workers and ${system.bots.length} bots are up`);

  const names = [...system.fleet.machines.keys()];
  const traffic = planTraffic(requests, names, system.bots.length, random.fork('traffic'));
  const calamities = planCalamities(requests, kills, random.fork('calamities'));
  const run = new ChaosRun({ system, storm, traps, random: random.fork('run') });
  const stuck: Violation[] = [];
  const unlessStuck = async <T>(work: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof Stuck)) throw error;
      stuck.push({ sentence: error.message });
      return otherwise;
    }
  };
  await unlessStuck(run.storm(traffic, calamities, requests), undefined);
  tell('everything is well from now on');
  const calm = await unlessStuck(run.calm(), []);

  const evidence: Evidence = {
    calm,
    sent: run.postman.sent,
    records: await readRecords(system.records, system.keys),
    messages: system.slack.messages,
    machines: [...system.fleet.machines.values()],
    lost: run.calamities.lost,
  };
  const verified = verify(evidence);
  const { runs } = evidence.records;
  const lostAt = (at: number): boolean => isLost(evidence.lost, at);
  const told = verifyLedger({ ledger: await system.ledger(), runs, machines: evidence.machines, lostAt });
  const exported = await system.exportProblem();
  const logs = system.victims.filter((victim) => system.log(victim).includes(crashed));
  const findings: Findings = {
    ...verified,
    violations: [
      ...stuck,
      ...logs.map(({ name }) => ({ sentence: `${name} ended by an error that nobody caught: see its log` })),
      ...traps.left.map(({ write, phase }) => ({
        sentence: `nobody was killed ${phase} the write ${write}`,
      })),
      ...verified.violations,
      ...told,
      ...(exported === undefined ? [] : [{ sentence: exported }]),
    ],
  };
  const good = findings.violations.length === 0;
  if (!good) print(violationLines(findings, evidence));
  print(
    books(evidence, findings, {
      happened: run.calamities.happened,
      deliveries: run.postman.deliveries,
      trapsSprung: traps.sprung.length,
      trapsLeft: traps.left.length,
      droppedWakes: run.calamities.droppedWakes,
    }),
  );
  print(recoveryLines(system.recoveries.done));
  const seconds = Math.round((Date.now() - startedAt) / 1_000);
  print(`seed ${seed}: ${good ? 'every promise was kept' : 'PROMISES WERE BROKEN'}, after ${seconds} s`);
  await system.stop();
  if (good) rmSync(system.folder, { recursive: true, force: true });
  else print(`The logs are in ${system.folder}. Run it again with --seed ${seed}.`);
  return good;
}
