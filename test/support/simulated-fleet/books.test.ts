import { expect, it } from 'vitest';
import { Books } from './books.ts';

it('a fence that is let in after a higher one is a violation', () => {
  const books = new Books();
  books.add({ kind: 'verb', verb: 'evidence', fence: 5, outcome: 'accepted' });
  books.add({ kind: 'verb', verb: 'evidence', fence: 4, outcome: 'old-fence' });
  expect(books.violations()).toEqual([]);
  books.add({ kind: 'verb', verb: 'connect', fence: 4, outcome: 'accepted' });
  expect(books.violations()).toEqual(['connect was let in with fence 4 after 5']);
});

it('a start under a fence that was stopped is a violation', () => {
  const books = new Books();
  books.add({ kind: 'verb', verb: 'stop', fence: 5, outcome: 'accepted' });
  books.add({ kind: 'verb', verb: 'start', fence: 5, run: 'r-1', outcome: 'accepted' });
  expect(books.violations()).toEqual(['start was let in with fence 5, which was stopped (5)']);
});

it('two agents at a time are a violation', () => {
  const books = new Books();
  books.add({ kind: 'alive', fence: 1, run: 'r-1' });
  books.add({ kind: 'gone', run: 'r-1', why: 'stopped' });
  books.add({ kind: 'alive', fence: 2, run: 'r-2' });
  expect(books.alive).toMatchObject({ run: 'r-2' });
  expect(books.violations()).toEqual([]);
  books.add({ kind: 'alive', fence: 3, run: 'r-3' });
  expect(books.violations()).toEqual(['the agent of r-3 began beside the one of r-2']);
});
