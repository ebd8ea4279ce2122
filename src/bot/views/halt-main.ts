import { formatCount, formatMoment } from '../../fleet/format.ts';
import type { Halt, HaltMember } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import { resumeWishValidity } from '../resume-wish.ts';
import { haltButtons } from './halt-buttons.ts';
import { type HaltedMachine, type HaltPicture, haltPicture } from './halt-picture.ts';
import { releaseLines, selectorChars } from './release-lines.ts';
import { codeSpan, mention, prose } from './safe-text.ts';
import { compose, context, type FileContent, section, type View } from './view.ts';
import { span } from './words.ts';

const reasonChars = 300;
const detailChars = 200;
const nameChars = 64;
/** Machines that get a line of their own, with what is known; the others share lines. */
const linesOfTheirOwn = 15;
const namesPerLine = 20;

/** `block_id` of a halt's message, by which recovery finds it. */
export const haltMainBlockId = (id: string) => `halt:${id}:main`;

/** What the halt has come to, in a few words. */
function stateWords({ held, heldCount, stillLocked, unlocked, lockedElse, gone }: HaltPicture): string {
  if (heldCount === 0) {
    if (stillLocked.length > 0) return ':arrow_forward: *Resuming*';
    if (unlocked.length === 0 && gone.length > 0) return ':warning: *Holds for no machine any more*';
    if (lockedElse.length > 0) {
      return `:lock: *Resumed, but ${formatCount(lockedElse.length)} stayed locked*`;
    }
    return ':white_check_mark: *Resumed*';
  }
  if (held.pending.length > 0) return ':hourglass_flowing_sand: *Halting*';
  const troubles = [
    ...(held.failed.length > 0 ? [`${formatCount(held.failed.length)} FAILED`] : []),
    ...(held.unreachable.length > 0 ? [`${formatCount(held.unreachable.length)} unreachable`] : []),
    ...(held.ending.length > 0 ? [`${formatCount(held.ending.length)} still ending`] : []),
  ];
  return `:octagonal_sign: *${['Halted', ...troubles].join(', ')}*`;
}

/** How many are confirmed, and what keeps the others. */
function countLine({ held, heldCount }: HaltPicture, begunAt: number): readonly string[] {
  if (heldCount === 0) return [];
  const counts = [
    `confirmed inactive and locked: ${formatCount(held.inactive.length)} of ${formatCount(heldCount)}`,
    ...(held.ending.length > 0
      ? [`${formatCount(held.ending.length)} ending what must not be interrupted`]
      : []),
    ...(held.unreachable.length > 0
      ? [`${formatCount(held.unreachable.length)} unreachable, locked when they come back`]
      : []),
    ...(held.failed.length > 0 ? [`${formatCount(held.failed.length)} failed`] : []),
    ...(held.pending.length > 0 ? [`${formatCount(held.pending.length)} not told yet`] : []),
  ];
  const lastAt = held.inactive.reduce((last, { member }) => Math.max(last, member.at), 0);
  if (held.pending.length === 0 && lastAt > 0) {
    counts.push(`last one confirmed at ${formatMoment(lastAt)}, after ${span(lastAt - begunAt)}`);
  }
  return [counts.join(' · ')];
}

function unlockedLine({ unlocked, lockedElse, stillLocked }: HaltPicture): readonly string[] {
  const lifted = unlocked.length + stillLocked.length;
  if (lifted === 0) return [];
  const counts = [
    `unlocked: ${formatCount(unlocked.length - lockedElse.length)} of ${formatCount(lifted)}`,
    ...(lockedElse.length > 0 ? [`${formatCount(lockedElse.length)} locked by something else`] : []),
    ...(stillLocked.length > 0 ? [`${formatCount(stillLocked.length)} still to unlock`] : []),
  ];
  return [counts.join(' · ')];
}

function wishLines({ resumeWish }: Halt): readonly string[] {
  if (resumeWish === undefined) return [];
  const { by, selector, at } = resumeWish;
  return [
    `:raising_hand: ${mention(by.userId)} wants to resume ${codeSpan(selector, selectorChars)} (asked at ${formatMoment(at)}); another person who may resume must agree within ${resumeWishValidity}`,
  ];
}

/** A piece of the message's body, and how many machines it names. */
interface Item {
  readonly text: string;
  readonly machines: number;
}

/** Machines with what is known of each; those beyond the first ones share lines. */
function machineItems(label: string, machines: readonly HaltedMachine[]): readonly Item[] {
  const own = machines.filter(({ member }) => member.detail !== undefined).slice(0, linesOfTheirOwn);
  const others = machines.filter((machine) => !own.includes(machine));
  const items: Item[] = own.map(({ name, member }) => ({
    text: `• *${prose(name, nameChars)}* ${label}: ${prose(member.detail ?? '', detailChars)}`,
    machines: 1,
  }));
  for (let from = 0; from < others.length; from += namesPerLine) {
    const some = others.slice(from, from + namesPerLine);
    const names = some.map(({ name }) => codeSpan(name, nameChars)).join(' ');
    items.push({ text: `• ${label}: ${names}`, machines: some.length });
  }
  return items;
}

function haltFile(
  { id }: Halt,
  groups: readonly (readonly [string, readonly HaltedMachine[]])[],
): FileContent {
  const lines = groups.flatMap(([label, machines]) =>
    machines.map(({ name, member }) => {
      const detail = member.detail === undefined ? '' : `: ${member.detail}`;
      return `${name}: ${label}${detail} (${formatMoment(member.at)})`;
    }),
  );
  return {
    filename: `${id}-machines.txt`,
    title: `Machines of halt ${id}`,
    content: `The machines of halt ${id} when every one had been tried.\n\n${lines.join('\n')}\n`,
  };
}

/** Who halted what and why, how far that is, and who lifts it. */
function headLines(halt: Halt, picture: HaltPicture): readonly string[] {
  const { heldCount, stillLocked, unlocked } = picture;
  const count = heldCount + stillLocked.length + unlocked.length;
  const what = `${codeSpan(halt.selector, selectorChars)} (${formatCount(count)} ${count === 1 ? 'machine' : 'machines'})`;
  return [
    `${stateWords(picture)}: ${what} by ${mention(halt.by.userId)}: ${prose(halt.reason, reasonChars)}`,
    ...countLine(picture, halt.at),
    ...releaseLines(halt),
    ...unlockedLine(picture),
    ...(heldCount > 0 ? wishLines(halt) : []),
  ];
}

/**
 * The one message of a halt, as its machines are now. What it has no room to name comes as a file, once every
 * machine has been tried.
 *
 * @param members what is known of each machine, by name
 * @param machines of the fleet file in force, by name
 */
export function haltMainView(
  halt: Halt,
  members: ReadonlyMap<string, HaltMember>,
  machines: ReadonlyMap<string, Machine>,
): { readonly view: View; readonly file?: FileContent } {
  const picture = haltPicture(halt, members, machines);
  const { held, heldCount, notUnlocked, lockedElse, gone } = picture;
  const lines = headLines(halt, picture);
  const groups = [
    ['failed', held.failed],
    ['ending', held.ending],
    ['unreachable', held.unreachable],
    ['still to unlock', notUnlocked],
    ['resumed, but stayed locked', lockedElse],
  ] as const;
  const items = groups.flatMap(([label, those]) => machineItems(label, those));
  const tried = heldCount > 0 && held.pending.length === 0;
  const { view, leftOut } = compose({
    text: lines.slice(0, 2).join(' · '),
    head: [section(lines.join('\n'), haltMainBlockId(halt.id))],
    body: items.map(({ text }) => text),
    tail: [
      context([
        `halted at ${formatMoment(halt.at)}`,
        ...(gone.length > 0
          ? [
              `${formatCount(gone.length)} more left the fleet file since, or changed labels: what was locked there stays locked`,
            ]
          : []),
        codeSpan(halt.id, nameChars),
      ]),
      ...(heldCount > 0 ? [haltButtons(halt)] : []),
    ],
    more: (left) => {
      const more = items.slice(-left).reduce((sum, item) => sum + item.machines, 0);
      return `and ${formatCount(more)} more machines${tried ? ': the file below names all' : ''}`;
    },
  });
  if (leftOut === 0 || !tried) return { view };
  return { view, file: haltFile(halt, [...groups, ['confirmed inactive and locked', held.inactive]]) };
}
