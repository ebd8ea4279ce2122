import { expect, it } from 'vitest';
import { Together } from '../../src/queue/together.ts';

it('what comes while a work is under way shares the next one, also where the first one fails', async () => {
  const first = Promise.withResolvers<void>();
  const works: (readonly string[])[] = [];
  const together = new Together<string>((items) => {
    works.push(items);
    return works.length === 1 ? first.promise : Promise.resolve();
  });
  const failed = together.add('key', 'a');
  await Promise.resolve();
  await Promise.resolve();
  const rest = [together.add('key', 'b'), together.add('key', 'c')];
  await together.add('other', 'd');
  expect(works).toEqual([['a'], ['d']]);
  first.reject(new Error('away'));
  await expect(failed).rejects.toThrow('away');
  await Promise.all(rest);
  expect(works).toEqual([['a'], ['d'], ['b', 'c']]);
});
