import type { Random } from './random.ts';

/** One delivery of a command by Slack. */
export interface Delivery {
  readonly command: PlannedCommand;
  /** Which bot gets it first. */
  readonly bot: number;
}

/** What one person types once. */
export interface PlannedCommand {
  /** Slack's `trigger_id`: the same for every delivery. */
  readonly trigger: string;
  readonly userId: string;
  readonly channel: string;
  readonly text: string;
  /** The machines that are asked. */
  readonly machines: readonly string[];
  /** How long after it was stored somebody cancels it, if anybody does. */
  readonly cancelAfterMs?: number;
}

export interface Traffic {
  readonly commands: readonly PlannedCommand[];
  /** In order: each command at least once, some repeated, some late. */
  readonly deliveries: readonly Delivery[];
}

const people = 40;
const campaigns = 0.04;
const questions = 0.15;
const cancelled = 0.06;
const repeatedAtOnce = 0.08;
const repeatedLater = 0.05;
const late = 0.1;
/** How many deliveries a late one is late by. */
const lateBy = [2, 30] as const;
const campaignMachines = [2, 6] as const;
const cancelAfterMs = [0, 2_500] as const;

/** Channels in which people ask. */
export const channelIds = Array.from({ length: 12 }, (_, index) => `C0CHAOS${index}`);
/** Who may do everything in the fleet file. */
export const personIds = Array.from({ length: people }, (_, index) => `U0P${index}`);

/** So many requests to machines, each machine about as often as every other. */
export function planTraffic(
  requests: number,
  machines: readonly string[],
  bots: number,
  random: Random,
): Traffic {
  const commands: PlannedCommand[] = [];
  let deck: string[] = [];
  const deal = (count: number): string[] => {
    const dealt = new Set<string>();
    while (dealt.size < count) {
      if (deck.length === 0) deck = random.shuffled(machines);
      dealt.add(deck.shift() ?? '');
    }
    return [...dealt];
  };
  for (let left = requests; left > 0; ) {
    const wanted = random.chance(campaigns) ? random.between(...campaignMachines) : 1;
    const asked = deal(Math.min(wanted, left, machines.length));
    left -= asked.length;
    const selector = asked.join(',');
    const trigger = `chaos.${commands.length}`;
    commands.push({
      trigger,
      userId: random.pick(personIds),
      channel: random.pick(channelIds),
      text: random.chance(questions) ? `ask ${selector} why is it slow?` : `check ${selector} disk`,
      machines: asked,
      ...(random.chance(cancelled) && { cancelAfterMs: random.between(...cancelAfterMs) }),
    });
  }
  return { commands, deliveries: deliver(commands, bots, random) };
}

function deliver(commands: readonly PlannedCommand[], bots: number, random: Random): Delivery[] {
  const placed: { delivery: Delivery; place: number }[] = [];
  commands.forEach((command, index) => {
    const add = (place: number) =>
      placed.push({ delivery: { command, bot: random.between(0, bots - 1) }, place });
    add(random.chance(late) ? index + random.between(...lateBy) : index);
    if (random.chance(repeatedAtOnce)) add(index);
    if (random.chance(repeatedLater)) add(index + random.between(...lateBy) * 5);
  });
  return placed.toSorted((a, b) => a.place - b.place).map(({ delivery }) => delivery);
}
