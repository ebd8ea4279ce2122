import type { Drive } from './context.ts';
import type { Step } from './ports.ts';

/** Does the work as a step of the run's trace, which fails with it. */
export async function inStep<T>(
  { tracer, held }: Pick<Drive, 'tracer' | 'held'>,
  name: string,
  work: (step: Step) => Promise<T>,
): Promise<T> {
  const step = tracer.step(held.run, name);
  try {
    const result = await work(step);
    step.end();
    return result;
  } catch (error) {
    step.end(error);
    throw error;
  }
}
