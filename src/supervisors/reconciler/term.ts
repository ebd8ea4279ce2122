import type { DriftNote, Expected } from '../../fleet/drift.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Findings } from './findings.ts';
import type { HaltBook } from './halt-book.ts';
import type { HaltRecorder } from './halt-recorder.ts';
import type { ReconcilerParts } from './parts.ts';

/** What a visit needs while this process leads. */
export interface Term extends ReconcilerParts {
  readonly findings: Findings;
  readonly book: HaltBook;
  readonly recorder: HaltRecorder;
  /** Machines in quarantine that no worker looks after, as last read. */
  readonly quarantined: Set<string>;
  /** What is kept of the machines that have drifted, as last read. */
  readonly drift: Map<string, DriftNote>;
  /** What should be installed on machines. */
  readonly expected: WeakMap<Machine, Expected>;
  /** What agents ran for another run than the machine's current one, as last seen: `AGENT'S RUN RECORD'S RUN`. */
  readonly misplaced: Map<string, string>;
  /** Aborts when this process leads no longer. */
  readonly signal: AbortSignal;
}
