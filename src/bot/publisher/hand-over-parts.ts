import { type HandOver, isChannel, pagerOf } from '../../fleet/hand-over.ts';
import { handOverCallBlockId, handOverCallView, nobodyView } from '../views/hand-over-calls.ts';
import { handOverMainBlockId, handOverMainView } from '../views/hand-over-main.ts';
import type { View } from '../views/view.ts';
import { type MessagePart, message, type Parts, type Standing } from './part.ts';

const nobodyPart = 'nobody';

/**
 * Everything that should stand in Slack for a hand-over: how far it is, and a message for each target of Slack that was
 * called. Once somebody has it, nobody is called any more who was not yet.
 * @param thread address of the run's thread; undefined where it is not known
 */
export function handOverParts(handOver: HandOver, standing: Standing, thread: string | undefined): Parts {
  const { calls, id, state, takenBy, targets } = handOver;
  const isPosted = (name: string) => standing[name]?.posted !== undefined;
  const part = (name: string, make: (name: string) => View): readonly MessagePart[] =>
    takenBy === undefined || isPosted(name)
      ? [{ ...message(name, handOverCallBlockId(id, name), make(name)), priority: 'decision' }]
      : [];
  const reached = calls.flatMap(({ target: index, problem }) => {
    const target = targets[index];
    const isInSlack = target !== undefined && problem === undefined && pagerOf(target) === undefined;
    return isInSlack ? [{ name: `call:${index}`, target }] : [];
  });
  const main = message('main', handOverMainBlockId(id), handOverMainView(handOver, isPosted('main')));
  return {
    main: { ...main, priority: 'decision' },
    thread: [
      ...reached.flatMap(({ name, target }) =>
        part(name, () => handOverCallView(handOver, target, name, thread)).map((each) =>
          isChannel(target) ? { ...each, elsewhere: target } : each,
        ),
      ),
      ...(state === 'nobody' || isPosted(nobodyPart)
        ? part(nobodyPart, (name) => nobodyView(handOver, name))
        : []),
    ],
  };
}
