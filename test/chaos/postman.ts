import { setTimeout as sleep } from 'node:timers/promises';
import type { LostWindow } from './chaos-redis.ts';
import type { ChaosSystem } from './chaos-system.ts';
import type { Delivery, PlannedCommand } from './plan-traffic.ts';
import { pollMs, runsDone } from './progress.ts';
import { type Receipt, sendCommand } from './slack-client.ts';

/** What became of one command: what its deliveries were told, and whoever cancelled it. */
export interface Sent {
  readonly command: PlannedCommand;
  readonly receipts: Receipt[];
  readonly cancels: { readonly runId: string; readonly receipt: Receipt }[];
}

const attempts = 4;
const pauseMs = 700;
/** Requests that wait, for each machine on average, before the next ones are sent. */
const waitingPerMachine = 5;
const deliveriesAtOnce = 8;

/** Slack, as far as it brings commands: delivers, repeats what was not acknowledged, and keeps the receipts. */
export class Postman {
  readonly sent = new Map<string, Sent>();
  readonly #system: ChaosSystem;
  readonly #lost: () => LostWindow | undefined;
  #deliveries = 0;

  /** @param lost tells whether Redis has lost its last second */
  constructor(system: ChaosSystem, lost: () => LostWindow | undefined) {
    this.#system = system;
    this.#lost = lost;
  }

  /** Requests to machines that were acknowledged, without those that Redis may have lost. */
  get owed(): number {
    const lost = this.#lost();
    return [...this.sent.values()]
      .filter(({ receipts }) => receipts.some(({ kind }) => kind === 'stored'))
      .filter(({ receipts }) => !receipts.some(({ at }) => lost && at >= lost.from && at <= lost.to))
      .reduce((sum, { command }) => sum + command.machines.length, 0);
  }

  get deliveries(): number {
    return this.#deliveries;
  }

  /** In order, a few at a time, as long as not too many requests wait. */
  async deliverAll(deliveries: readonly Delivery[], givenUp?: AbortSignal): Promise<void> {
    const most = this.#system.fleet.machines.size * waitingPerMachine;
    const underWay = new Set<Promise<void>>();
    for (const delivery of deliveries) {
      while (underWay.size >= deliveriesAtOnce) await Promise.race(underWay);
      while (this.owed - (await runsDone(this.#system)) > most) {
        if (givenUp?.aborted) return;
        await sleep(pollMs);
      }
      const delivered = this.#deliver(delivery).finally(() => underWay.delete(delivered));
      underWay.add(delivered);
    }
    await Promise.all(underWay);
  }

  async #deliver({ command, bot }: Delivery): Promise<void> {
    const before = this.sent.get(command.trigger);
    const sent = before ?? { command, receipts: [], cancels: [] };
    this.sent.set(command.trigger, sent);
    const receipt = await this.#insist(command, bot, sent.receipts);
    if (!before && receipt.kind === 'stored' && command.cancelAfterMs !== undefined) {
      await sleep(command.cancelAfterMs);
      await this.#cancel(sent, bot);
    }
  }

  /** Delivers, up to a few times until it is acknowledged, to the other bot each time. */
  async #insist(command: PlannedCommand, bot: number, receipts: Receipt[]): Promise<Receipt> {
    for (let attempt = 0; ; attempt += 1) {
      const receipt = await this.#send(command, bot + attempt);
      receipts.push(receipt);
      if (receipt.kind === 'stored' || attempt === attempts - 1) return receipt;
      await sleep(pauseMs);
    }
  }

  /** To this bot or, where it is known not to be there, to the next. */
  #send(command: PlannedCommand, bot: number): Promise<Receipt> {
    const { bots, slack } = this.#system;
    const inOrder = bots.map((_, index) => bots[(bot + index) % bots.length]);
    const target =
      inOrder.find((each) => each?.victim.state === 'up' || each?.victim.state === 'frozen') ?? inOrder[0];
    this.#deliveries += 1;
    return sendCommand(target?.port ?? 0, command, slack.responseUrl);
  }

  async #cancel({ command, cancels }: Sent, bot: number): Promise<void> {
    const { records, keys } = this.#system;
    const ids = await records.hget(`${keys.prefix}seen`, `cmd:${command.trigger}`);
    const [runId] = ids?.split(' ') ?? [];
    if (runId === undefined) return;
    const cancel = { ...command, trigger: `${command.trigger}.cancel`, text: `cancel ${runId}` };
    cancels.push({ runId, receipt: await this.#send(cancel, bot + 1) });
  }
}
