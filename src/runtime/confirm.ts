import { createInterface } from 'node:readline';

/** Asks a person at the terminal. Only `y` and `yes` are a yes; so is nothing else, an end of the input included. */
export async function confirm(
  question: string,
  { input, output }: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream },
): Promise<boolean> {
  output.write(`${question} [y/N] `);
  const lines = createInterface({ input });
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
