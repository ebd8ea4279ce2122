import { approvals } from './approvals.ts';
import { ask } from './ask.ts';
import { audit } from './audit.ts';
import { cancel } from './cancel.ts';
import { check } from './check.ts';
import type { Command } from './command.ts';
import { cost } from './cost.ts';
import { halt } from './halt.ts';
import { help } from './help.ts';
import { list } from './list.ts';
import { resume } from './resume.ts';
import { run } from './run.ts';
import { runs } from './runs.ts';
import { schedule } from './schedule.ts';
import { show } from './show.ts';
import { silence } from './silence.ts';
import { silences } from './silences.ts';
import { unsilence } from './unsilence.ts';
import { why } from './why.ts';

/** Everything that can follow `/fleet`, in the order of `/fleet help`. */
export const commands: readonly Command[] = [
  help,
  list,
  show,
  check,
  ask,
  run,
  approvals,
  schedule,
  runs,
  audit,
  cancel,
  halt,
  resume,
  silence,
  unsilence,
  silences,
  cost,
  why,
];
