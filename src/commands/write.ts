/** Writes to stdout what a command prints. */
export const write = (text: string): void => void process.stdout.write(text);
