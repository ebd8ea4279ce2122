import { setImmediate as nextTurn } from 'node:timers/promises';

/** Some milliseconds of work. */
const itemsPerTurn = 200;

/** The items of a long list, with pauses in which commands and clicks of others are served. */
export async function* inTurns<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  let count = 0;
  for (const item of items) {
    yield item;
    count += 1;
    if (count % itemsPerTurn === 0) await nextTurn();
  }
}
