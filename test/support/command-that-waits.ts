import { fileThere } from './wait-for-file.ts';

/** A check's command that prints its number only once a file exists. Argument: the file. */
const [, , file = ''] = process.argv;
await fileThere(file);
process.stdout.write('42\n');
