import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { type LedgerEntry, ledgerEntrySchema } from '../../../../src/fleet/ledger-entry.ts';
import { readFleetFile } from '../../../../src/runtime/fleet-file.ts';
import { newApprovalKeys } from '../../../../src/sandbox/approval-keys.ts';
import { EdgeFleet } from '../../edge/parts/edge-fleet.ts';
import {
  type GovernedMachines,
  type GovernedSpec,
  startGovernedMachines,
} from '../../edge/parts/governed-machines.ts';
import { startCentre } from '../../parts/centre.ts';
import { eventually } from '../../parts/eventually.ts';
import { ApartCentre } from './apart.ts';
import { approvers, colleagues, onCall, requester } from './people.ts';
import { Question } from './question.ts';

/** What stands in the fleet file beside its machines. */
export interface ActingRules {
  readonly actions: Readonly<Record<string, unknown>>;
  readonly suggestions?: readonly unknown[];
  readonly approvals?: Readonly<Record<string, unknown>>;
}

const fileSchema = z.looseObject({ approvals: z.record(z.string(), z.unknown()) });

/** Starts real machines that take the signer's capsules, and fleetbot with its roles apart. */
export async function startActingFleet(
  specs: readonly GovernedSpec[],
  rules: ActingRules,
): Promise<ActingFleet> {
  await using stack = new AsyncDisposableStack();
  const secrets = mkdtempSync(join(tmpdir(), 'fleetbot-keys-'));
  stack.defer(() => rmSync(secrets, { recursive: true }));
  const keys = await newApprovalKeys(secrets);
  const signer = readFileSync(keys.signers, 'utf8').trim();
  const governed = stack.use(
    await startGovernedMachines(
      specs.map((spec) => ({ ...spec, flags: ['--no-warm-up', '--capsule-key', signer] })),
      {
        fleet: {
          ...rules,
          approvals: { onCall: [onCall], ...rules.approvals },
          access: [
            { people: [requester], machines: 'all', verbs: 'all', upTo: 'destructive' },
            { people: approvers, machines: 'all', verbs: ['view', 'approve'], upTo: 'destructive' },
          ],
        },
      },
    ),
  );
  const { folder, fleetFile, keyFile, spans } = governed;
  const centre = await startCentre(
    { folder, fleetFile, keyFile, mlflowUrl: spans.url, colleagues },
    stack,
    (parts) => new ApartCentre(parts, keys),
  );
  const { machines } = await readFleetFile(fleetFile);
  centre.owns(stack.move());
  return new ActingFleet(governed, centre, machines, readFileSync(keys.capsule, 'utf8'));
}

/** Real machines that are changed, and who decides about it. */
export class ActingFleet extends EdgeFleet {
  readonly roles: ApartCentre;
  /** The signer's private key, PEM. */
  readonly capsuleKey: string;

  constructor(
    governed: GovernedMachines,
    roles: ApartCentre,
    machines: ConstructorParameters<typeof EdgeFleet>[2],
    capsuleKey: string,
  ) {
    super(governed, roles, machines);
    this.roles = roles;
    this.capsuleKey = capsuleKey;
  }

  /** The question to which the requester's words lead. */
  async ask(words: string): Promise<Question> {
    return this.question((await this.roles.sre.ask(words)).id);
  }

  question(runId: string): Question {
    return new Question(runId, this.roles.slackUrl, this.roles.queue);
  }

  /** What the ledger holds about a run and its approval, oldest first, once it holds the end of the run. */
  entriesOf(runId: string): Promise<readonly LedgerEntry[]> {
    const words = [`"${runId}"`, `"a-${runId.slice(2)}"`];
    return eventually(async () => {
      const all = await this.roles.queue.ledger.read('', 10_000);
      const mine = all
        .filter(({ entry }) => words.some((word) => entry.includes(word)))
        .map(({ entry }) => ledgerEntrySchema.parse(JSON.parse(entry)));
      if (!mine.some(({ kind }) => kind === 'run.done')) throw new Error(`${runId} has no end in the ledger`);
      return mine;
    });
  }

  /** Changes how people are asked from now on. */
  async askPeople(approvals: Readonly<Record<string, unknown>>): Promise<void> {
    const { fleetFile } = this.governed;
    const file = fileSchema.parse(parse(readFileSync(fleetFile, 'utf8')));
    this.roles.writeFleet(stringify({ ...file, approvals: { ...file.approvals, ...approvals } }));
    // A process that starts has it for certain.
    await this.roles.stopFleetbot();
    await this.roles.startFleetbot();
  }
}
