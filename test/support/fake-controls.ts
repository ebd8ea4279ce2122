import type { BotMeter, Ledger, Notices, SignerSeen } from '../../src/bot/ports.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import type { Notice } from '../../src/fleet/notice.ts';
import { FakeAlertMessages } from './fake-alert-messages.ts';
import { FakeApprovals } from './fake-approvals.ts';
import { FakeHalts } from './fake-halts.ts';
import { FakeHandOvers } from './fake-hand-overs.ts';
import { FakeIncidents } from './fake-incidents.ts';
import { FakeSchedules } from './fake-schedules.ts';
import { FakeSilences } from './fake-silences.ts';
import { FakeSpending } from './fake-spending.ts';
import { memoryFacts } from './memory-facts.ts';

/** What the bot needs beyond requests and views, in memory. */
export class FakeControls {
  readonly halts = new FakeHalts();
  readonly silences = new FakeSilences();
  readonly approvals = new FakeApprovals();
  readonly handOvers = new FakeHandOvers();
  readonly incidents = new FakeIncidents();
  readonly schedules = new FakeSchedules();
  readonly spending = new FakeSpending();
  readonly budgets = this.spending;
  readonly alertMessages = new FakeAlertMessages();
  readonly entries: LedgerEntry[] = [];
  readonly #slots = new Map<string, string>();
  readonly facts = memoryFacts(this.entries);
  /** `accepted check 2`, `denied check`, `limited rate`. */
  readonly counted: string[] = [];
  readonly posted = new Map<string, Notice>();
  /** Makes the ledger fail as when Redis is away. */
  ledgerAway = false;
  /** Whether a signer runs; undefined: the store does not answer. */
  signer: boolean | undefined = true;

  readonly ledger: Ledger = {
    append: async (entry) => {
      if (this.ledgerAway) throw new StoreUnavailableError('Redis did not answer.');
      this.entries.push(entry);
    },
    appendOnce: async (slot, value, entry) => {
      if (this.#slots.get(slot) === value) return false;
      await this.ledger.append(entry);
      this.#slots.set(slot, value);
      return true;
    },
  };
  readonly meter: BotMeter = {
    accepted: (task, runs) => this.counted.push(`accepted ${task} ${runs}`),
    denied: (verb) => this.counted.push(`denied ${verb}`),
    limited: (limit) => this.counted.push(`limited ${limit}`),
    alertMessageLost: () => this.counted.push('alert message lost'),
  };
  readonly signerSeen: SignerSeen = async () => {
    if (this.signer === undefined) throw new StoreUnavailableError('Redis did not answer.');
    return this.signer;
  };
  readonly notices: Notices = { notice: async (id) => this.posted.get(id) };

  reset(): void {
    this.halts.reset();
    this.silences.reset();
    this.schedules.reset();
    this.spending.reset();
    this.approvals.away = false;
    this.handOvers.reset();
    this.incidents.stored.clear();
    this.incidents.away = false;
    this.entries.length = 0;
    this.#slots.clear();
    this.facts.begin = undefined;
    this.counted.length = 0;
    this.posted.clear();
    this.ledgerAway = false;
    this.signer = true;
  }
}
