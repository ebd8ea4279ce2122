import { Counter, Histogram, type Registry } from 'prom-client';
import { approvalStates } from '../../fleet/approval.ts';
import { verdicts } from '../../fleet/finding.ts';
import { taskSchema } from '../../fleet/request.ts';
import { actionOutcomes, effects, inertnessSchema, type Run } from '../../fleet/run.ts';
import { durationBuckets, toSeconds } from './buckets.ts';
import { failureCodes } from './failure-codes.ts';
import { zero } from './zero.ts';

/** The steps of a run's trace; one that is not here is counted all the same. */
const steps = [
  ...['evidence', 'agent.start', 'agent.ready', 'agent.task', 'agent.stop'],
  ...['action.sign', 'action.verify'],
];

/** The effect of an action after which nothing was measured. */
const unmeasured = 'none';

/**
 * What the runs that this process ended came to. A process that is killed between storing a run's end and
 * counting it loses the count; the record and the ledger have it. No label names a machine: a fleet has
 * thousands of them, and the answers and traces tell more.
 */
export class RunMetrics {
  readonly #runs: Counter<'task' | 'verdict' | 'inertness'>;
  readonly #failures: Counter<'code'>;
  readonly #cancellations: Counter;
  readonly #approvals: Counter<'state'>;
  readonly #actions: Counter<'outcome' | 'effect'>;
  readonly #duration: Histogram<'task'>;
  readonly #queueWait: Histogram;
  readonly #steps: Histogram<'step'>;
  readonly #tokens: Counter<'direction'>;
  readonly #cost: Counter;
  readonly #costUnknown: Counter<'reason'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#runs = new Counter({
      name: 'fleetbot_runs_total',
      help: 'Runs that ended, by what was asked, their verdict, and what is known of their agent.',
      labelNames: ['task', 'verdict', 'inertness'],
      registers,
    });
    this.#failures = new Counter({
      name: 'fleetbot_run_failures_total',
      help: 'Why runs, or the agents in them, could not do what was asked.',
      labelNames: ['code'],
      registers,
    });
    this.#cancellations = new Counter({
      name: 'fleetbot_run_cancellations_total',
      help: 'Runs that ended after somebody had cancelled them, whatever their verdict.',
      registers,
    });
    this.#approvals = new Counter({
      name: 'fleetbot_approvals_total',
      help: 'What people were asked to approve, by what became of it.',
      labelNames: ['state'],
      registers,
    });
    this.#actions = new Counter({
      name: 'fleetbot_actions_total',
      help: 'Actions that were wanted, by what became of them and by what the evidence says of that.',
      labelNames: ['outcome', 'effect'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'fleetbot_run_duration_seconds',
      help: 'From the acceptance of a request to the end of its run, without the time in which people thought.',
      labelNames: ['task'],
      buckets: durationBuckets,
      registers,
    });
    this.#queueWait = new Histogram({
      name: 'fleetbot_run_queue_wait_seconds',
      help: 'From the acceptance of a request to the first work on it.',
      buckets: durationBuckets,
      registers,
    });
    this.#steps = new Histogram({
      name: 'fleetbot_run_step_duration_seconds',
      help: 'How long the steps of runs took, by their name in the trace, also where they failed.',
      labelNames: ['step'],
      buckets: durationBuckets,
      registers,
    });
    this.#tokens = new Counter({
      name: 'fleetbot_agent_tokens_total',
      help: 'Tokens that the agents reported.',
      labelNames: ['direction'],
      registers,
    });
    this.#cost = new Counter({
      name: 'fleetbot_agent_cost_usd_total',
      help: 'What those tokens cost in US dollars, where the price of the model is known; fleetbot_agent_cost_unknown_total counts where not.',
      registers,
    });
    this.#costUnknown = new Counter({
      name: 'fleetbot_agent_cost_unknown_total',
      help: 'Activations of agents that are in no sum: their model has no price, or they told no tokens.',
      labelNames: ['reason'],
      registers,
    });
    this.#zero();
  }

  /** The run is done. */
  ended(run: Run): void {
    const { acceptedAt, task } = run.request;
    const verdict = run.verdict ?? 'failed';
    this.#runs.inc({ task: task.kind, verdict, inertness: run.inertness });
    const codes = new Set([run.failure?.code, run.diagnosis?.failure?.code]);
    for (const code of codes) if (code !== undefined) this.#failures.inc({ code });
    if (run.cancellation) this.#cancellations.inc();
    if (run.approval) this.#approvals.inc({ state: run.approval.state });
    const { outcome, effect = unmeasured } = run.action ?? {};
    if (outcome) this.#actions.inc({ outcome, effect });

    const entered = (state: Run['state']) => run.timeline.find((entry) => entry.state === state)?.at;
    const [begunAt, doneAt] = [entered('gathering'), entered('done')];
    if (begunAt !== undefined) this.#queueWait.observe(toSeconds(begunAt - acceptedAt));
    if (doneAt !== undefined) {
      this.#duration.observe({ task: task.kind }, toSeconds(doneAt - acceptedAt - thoughtMs(run)));
    }

    const { usage, costUsd, activations = 0 } = run.diagnosis ?? {};
    this.#tokens.inc({ direction: 'input' }, usage?.inputTokens ?? 0);
    this.#tokens.inc({ direction: 'output' }, usage?.outputTokens ?? 0);
    this.#cost.inc(costUsd ?? 0);
    // Of several activations only the last one tells anything.
    this.#costUnknown.inc({ reason: 'untold' }, usage === undefined ? activations : activations - 1);
    if (usage !== undefined && costUsd === undefined) this.#costUnknown.inc({ reason: 'no-price' });
  }

  /** A step of a run ended, well or not. */
  stepEnded(step: string, durationMs: number): void {
    this.#steps.observe({ step }, toSeconds(durationMs));
  }

  #zero(): void {
    const tasks = taskSchema.options.map((option) => option.shape.kind.value);
    for (const task of tasks) {
      this.#duration.zero({ task });
      for (const verdict of verdicts) {
        for (const inertness of inertnessSchema.options) this.#runs.inc({ task, verdict, inertness }, 0);
      }
    }
    for (const step of steps) this.#steps.zero({ step });
    for (const outcome of actionOutcomes) {
      for (const effect of [...effects, unmeasured]) this.#actions.inc({ outcome, effect }, 0);
    }
    zero(
      this.#approvals,
      approvalStates.filter((state) => state !== 'waiting'),
    );
    zero(this.#failures, failureCodes);
    zero(this.#tokens, ['input', 'output']);
    zero(this.#costUnknown, ['no-price', 'untold']);
  }
}

/** How long people took to decide. */
function thoughtMs({ timeline }: Run): number {
  const asked = timeline.findIndex(({ state }) => state === 'awaiting');
  const [from, to] = timeline.slice(asked);
  return asked === -1 || !from || !to ? 0 : to.at - from.at;
}
