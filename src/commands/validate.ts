import { problemLine } from '../fleet/errors.ts';
import { checkFleetFile } from '../runtime/fleet-file.ts';
import { complain } from './complain.ts';
import { write } from './write.ts';

/** Checks every file, also after one that cannot be used. Resolves to whether all are valid. */
export async function validate(files: readonly string[]): Promise<boolean> {
  let valid = true;
  for (const file of files) {
    try {
      const { fleet, warnings } = await checkFleetFile(file);
      const { machines, access } = fleet;
      for (const warning of warnings) write(`warning: ${problemLine(file, warning)}\n`);
      const counted = `${count(machines.size, 'machine')}, ${count(access.length, 'access rule')}`;
      write(`${file}: ${counted}: valid\n`);
    } catch (error) {
      complain(error);
      valid = false;
    }
  }
  return valid;
}

const count = (many: number, what: string) => `${many} ${what}${many === 1 ? '' : 's'}`;
