import type { Task } from './request.ts';
import type { Requester } from './requester.ts';
import type { Run, Withheld } from './run.ts';
import type { HeldBack, HeldBackKind } from './silence.ts';

/** What a silence may hold back, not counted yet. */
export type Held = Omit<HeldBack, 'times'>;

/** What of a run a silence holds back at this moment; undefined where a person asked for it by hand. */
export function heldBackAt({ request, approval }: Run, moment: Withheld['moment']): Held | undefined {
  const { machine, task, requester } = request;
  switch (moment) {
    case 'run':
      return heldBackFrom(requester, task, machine);
    case 'agent':
      return undefined;
    case 'escalation':
      return task.kind === 'act' ? undefined : { kind: 'escalation', machine, what: whatOf(task) };
    case 'action': {
      const { subject, proposedBy } = approval?.question ?? {};
      if (subject?.kind !== 'action' || proposedBy === 'person') return undefined;
      return { kind: 'action', machine, what: subject.action };
    }
  }
}

/** What is held back where this requester gets no run on the machine; undefined for a person, who always does. */
export function heldBackFrom(requester: Requester, task: Task, machine: string): Held | undefined {
  const kind = kindOf(requester);
  return kind && { kind, machine, what: whatOf(task) };
}

function kindOf({ kind }: Requester): HeldBackKind | undefined {
  switch (kind) {
    case 'person':
      return undefined;
    case 'supervisor':
      return 'peer';
    default:
      return kind;
  }
}

/** What a silence says that it held back of a task. */
export function whatOf(task: Task): string {
  return task.kind === 'check' ? task.check : task.kind;
}
