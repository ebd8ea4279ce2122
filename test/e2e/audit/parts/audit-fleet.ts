import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Run } from '../../../../src/fleet/run.ts';
import { readFleetFile } from '../../../../src/runtime/fleet-file.ts';
import { newApprovalKeys } from '../../../../src/sandbox/approval-keys.ts';
import { freePort } from '../../../../src/sandbox/free-port.ts';
import { newLedgerFiles } from '../../../../src/sandbox/ledger-files.ts';
import { Person } from '../../../../src/sandbox/person.ts';
import { workspace } from '../../../../src/sandbox/workspace.ts';
import { answersOf } from '../../../support/edge-machines/model-folder.ts';
import type { AnsweredTokens } from '../../../support/stub-model.ts';
import { approvers, colleagues, requester } from '../../approvals/parts/people.ts';
import { Question } from '../../approvals/parts/question.ts';
import { furnishSite } from '../../approvals/parts/site.ts';
import { EdgeFleet } from '../../edge/parts/edge-fleet.ts';
import { startGovernedMachines } from '../../edge/parts/governed-machines.ts';
import { Centre, startCentre } from '../../parts/centre.ts';
import { Channel } from '../../parts/channel.ts';
import { collectorBinary } from '../../parts/collector-binary.ts';
import { eventually } from '../../parts/eventually.ts';
import { filesUnder } from '../../parts/everything.ts';
import { type StoredTrace, storedTrace } from '../../parts/mlflow-traces.ts';
import { CentralCollector } from './central-collector.ts';
import { fleetbot } from './fleetbot.ts';
import { MlflowBehindDoor } from './mlflow-behind-door.ts';
import { machineEntry, names, rules } from './rules.ts';

/** What an AuditFleet is made of, beside what every fleet has. */
interface AuditParts {
  readonly mlflow: MlflowBehindDoor;
  readonly central: CentralCollector;
  /** Folders of this computer with what the processes of the centre keep and print. */
  readonly folders: readonly string[];
  readonly ledgerFile: string;
}

/** Starts two real machines, both kinds of collectors, MLflow and fleetbot. */
export async function startAuditFleet(): Promise<AuditFleet> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'fleetbot-audit-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const subfolder = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path);
    return path;
  };
  // Built here, where there is time for it.
  collectorBinary();
  const approvalKeys = await newApprovalKeys(subfolder('keys'));
  const signer = readFileSync(approvalKeys.signers, 'utf8').trim();
  const uplinkPort = await freePort();
  const flags = ['--no-warm-up', '--capsule-key', signer];
  const specs = names.map((name) => ({ name, entry: machineEntry(name), flags }));
  const [mlflow, governed] = await Promise.all([
    MlflowBehindDoor.start(folder).then((started) => stack.use(started)),
    startGovernedMachines(specs, { uplinkPort, fleet: rules }).then((started) => stack.use(started)),
  ]);
  for (const name of names) await furnishSite(governed.machine(name));

  const { fleetFile, keyFile } = governed;
  const central = new CentralCollector(subfolder('central'), mlflow.url, fleetFile, uplinkPort);
  await central.start();
  stack.defer(() => central.kill());
  const ledger = newLedgerFiles(subfolder('ledger'));
  const centre = await startCentre(
    {
      ...{ folder: governed.folder, fleetFile, keyFile, mlflowUrl: mlflow.url },
      ...{ approvalKeys, ledger, colleagues },
    },
    stack,
    (parts) => new Centre(parts),
  );
  const { machines } = await readFleetFile(fleetFile);
  await heard(centre);
  centre.owns(stack.move());
  const folders = [folder, governed.folder];
  return new AuditFleet(governed, centre, machines, { mlflow, central, folders, ledgerFile: ledger.file });
}

/** Resolves once fleetbot answers: local-slack loses what is typed in the moment in which it connects. */
async function heard({ slackUrl, sre }: Centre): Promise<void> {
  const person = new Person(slackUrl, requester);
  await eventually(async () => {
    await person.type(workspace.channel.id, 'help');
    expect(await sre.messages()).not.toEqual([]);
  });
}

/** Real machines whose every step is to be found in MLflow, in the ledger and in Slack. */
export class AuditFleet extends EdgeFleet {
  readonly mlflow: MlflowBehindDoor;
  readonly central: CentralCollector;
  readonly folders: readonly string[];
  readonly ledgerFile: string;
  /** With the spans that MLflow has not taken yet, and those that it refused. */
  readonly spansFolder: string;

  constructor(
    governed: ConstructorParameters<typeof EdgeFleet>[0],
    centre: Centre,
    machines: ConstructorParameters<typeof EdgeFleet>[2],
    parts: AuditParts,
  ) {
    super(governed, centre, machines);
    this.mlflow = parts.mlflow;
    this.central = parts.central;
    this.folders = parts.folders;
    this.ledgerFile = parts.ledgerFile;
    this.spansFolder = join(governed.folder, 'fleetbot/spans');
  }

  /** The question to which the requester's words lead, once it stands in Slack. */
  async question(words: string): Promise<Question> {
    const { id } = await this.centre.sre.ask(words);
    const question = new Question(id, this.centre.slackUrl, this.centre.queue);
    await question.asked();
    return question;
  }

  /** What the requester's words lead to once one of the others has approved it. */
  async approved(words: string): Promise<Run> {
    const question = await this.question(words);
    await question.click(approvers.slice(0, 1), 'approve');
    return (await question.ended()).run;
  }

  /** The whole trace of a run that is done: its root, and of each answer that an agent gave what its machine tells. */
  traceOf(run: Run): Promise<StoredTrace> {
    return eventually(async () => {
      const trace = await storedTrace(this.mlflow.url, `tr-${run.trace.traceId}`);
      const spanNames = trace.spans.map(({ name }) => name);
      expect(spanNames).toContain('message.processed');
      if (run.diagnosis?.comment !== undefined) expect(spanNames).toContain('agent.run');
      return trace;
    });
  }

  /** Somebody of the workspace at the channel. */
  as(person: string): Channel {
    return new Channel(this.centre.slackUrl, person, this.centre.queue);
  }

  /** The link that stands in the message with this block. */
  async linkIn(blockId: string): Promise<string> {
    const messages = await this.centre.sre.messages();
    const message = messages.find(({ blocks }) => blocks.some(({ block_id: id }) => id === blockId));
    const elements = message?.blocks.flatMap((block) => block.elements ?? []) ?? [];
    const url = elements.find((element) => element.url !== undefined)?.url;
    if (url === undefined) throw new Error(`no link stands in ${blockId}`);
    return url;
  }

  /** What fleetbot's metrics say, summed over its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://${this.centre.health}/metrics`)).text();
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    if (lines.length === 0) throw new Error(`there is no metric ${name}`);
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** What the model servers of all machines have answered so far. */
  answers(): readonly AnsweredTokens[] {
    return names.flatMap((name) => answersOf(this.machine(name)));
  }

  /** Delivers to MLflow once more what the central collector has, as one does that heard no answer. */
  async deliverAgain(): Promise<void> {
    for (const file of filesUnder(this.central.copyFolder)) {
      for (const body of readFileSync(file, 'utf8').trimEnd().split('\n')) {
        const headers = { 'content-type': 'application/json', 'x-mlflow-experiment-id': '0' };
        const { status } = await fetch(`${this.mlflow.url}/v1/traces`, { method: 'POST', headers, body });
        expect(status).toBe(200);
      }
    }
  }

  /** Runs fleetbot on the command line, with the settings that a person at the centre has. */
  fleetbot(args: readonly string[]): Promise<string> {
    return fleetbot(args, {
      ...this.centre.directSettings,
      MLFLOW_TRACKING_URI: this.mlflow.url,
      MLFLOW_EXPERIMENT_ID: '0',
    });
  }
}
