import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Assessment, assessmentOf } from '../fleet/assessment.ts';
import { FleetbotError } from '../fleet/errors.ts';
import type { Duty } from './create-dispatcher.ts';
import type { AssessmentMeter, Assessor, Clock, LedgerTail, PutOff, TailEntry } from './ports.ts';

export interface AssessmentSettings {
  /** Entries of the ledger that are read together. */
  readonly batchEntries: number;
  /** How many of those that were put off are tried in one go. */
  readonly dueAtOnce: number;
  /** How many may be put off; then the ledger waits. */
  readonly putOffMost: number;
  /** The pause after the first attempt; it grows with the time that was waited. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** After so long it is not tried any more. */
  readonly givenUpAfterMs: number;
  /** How long nothing is tried while MLflow does not answer. */
  readonly awayPauseMs: number;
  /** So often in a row the ledger waits for the same one; then that one is put off. */
  readonly triesInARow: number;
}

export const defaultAssessmentSettings: AssessmentSettings = {
  batchEntries: 500,
  dueAtOnce: 50,
  putOffMost: 10_000,
  firstPauseMs: 5_000,
  longestPauseMs: 15 * 60_000,
  givenUpAfterMs: 7 * 24 * 3_600_000,
  awayPauseMs: 5_000,
  triesInARow: 6,
};

/** Part of the time that was waited so far, after which it is tried again. */
const pausePart = 0.25;

export interface AssessmentsDutyOptions<Later extends PutOff> {
  readonly ledger: LedgerTail<Later>;
  readonly assessor: Assessor;
  readonly meter: AssessmentMeter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings?: AssessmentSettings;
}

/**
 * Brings to MLflow what people said of runs, as the ledger tells it: that an answer was good or bad, and what they
 * decided. The ledger waits while MLflow is away; nothing else waits for a trace that it does not know yet, or with which
 * alone it fails again and again.
 */
export function assessmentsDuty<Later extends PutOff>(options: AssessmentsDutyOptions<Later>): Duty {
  const { ledger, assessor, meter, clock, log, settings = defaultAssessmentSettings } = options;
  let failed = false;
  /** What failed last, and how often in a row. */
  const failing = { position: '', times: 0 };

  /** Returns why it cannot stand there yet; undefined where it does. */
  async function bring(assessment: Assessment, signal: AbortSignal): Promise<string | undefined> {
    const outcome = await assessor.assess(assessment, signal);
    if ('later' in outcome) return outcome.later;
    meter.brought(outcome.result);
    return undefined;
  }

  /** Returns why the one at this position is put off. @throws the error as long as it may be MLflow that is away */
  function orPutOff(error: unknown, position: string, signal: AbortSignal): string {
    signal.throwIfAborted();
    failing.times = failing.position === position ? failing.times + 1 : 1;
    failing.position = position;
    if (failing.times < settings.triesInARow) throw error;
    return messageOf(error);
  }

  /** When to try again what waits since then. */
  function nextTry(since: number): number {
    const now = clock();
    const pauseMs = Math.max(settings.firstPauseMs, Math.round((now - since) * pausePart));
    return now + Math.min(pauseMs, settings.longestPauseMs);
  }

  async function retry(signal: AbortSignal): Promise<void> {
    for (const later of await ledger.due(settings.dueAtOnce)) {
      if (signal.aborted) return;
      await again(later, signal);
    }
  }

  async function again(later: Later, signal: AbortSignal): Promise<void> {
    const assessment = assessmentOf(later.entry, later.position);
    if (assessment === undefined) return ledger.forget(later);
    let why: string | undefined;
    try {
      why = await bring(assessment, signal);
    } catch (error) {
      // Those behind it have their turn first: perhaps MLflow fails with this one alone.
      if (!signal.aborted) await waitOn(later, assessment, messageOf(error));
      throw error;
    }
    await (why === undefined ? ledger.forget(later) : waitOn(later, assessment, why));
  }

  async function waitOn(later: Later, assessment: Assessment, why: string): Promise<void> {
    if (clock() - later.since < settings.givenUpAfterMs) {
      return ledger.putOffAgain(later, nextTry(later.since));
    }
    const { trace, person, name } = assessment;
    log.warn(
      { trace, person, assessment: name, position: later.position, why },
      'what a person said of a trace is given up: MLflow did not take it for too long. The ledger has it',
    );
    meter.brought('given-up');
    await ledger.forget(later);
  }

  /** Returns whether there may be more. */
  async function readOn(signal: AbortSignal): Promise<boolean> {
    const entries = await ledger.next(settings.batchEntries);
    let passed: TailEntry | undefined;
    for (const each of entries) {
      if (signal.aborted) break;
      const { entry, position } = each;
      const assessment = entry && assessmentOf(entry, position);
      if (entry !== undefined && assessment !== undefined) {
        // What fails now must not bring back what came before it.
        if (passed !== undefined) await ledger.pass(passed);
        passed = undefined;
        const why = await bring(assessment, signal).catch((error: unknown) =>
          orPutOff(error, position, signal),
        );
        if (why !== undefined) {
          await putOff({ ...each, entry }, why);
          continue;
        }
      }
      passed = each;
    }
    if (passed !== undefined) await ledger.pass(passed);
    return entries.length === settings.batchEntries;
  }

  async function putOff(each: Parameters<LedgerTail['putOff']>[0], why: string): Promise<void> {
    if (await ledger.putOff(each, nextTry(clock()), settings.putOffMost)) {
      log.debug({ position: each.position, why }, 'what a person said of a trace waits');
      return;
    }
    throw new FleetbotError(
      'assessments-full',
      `What people said of ${settings.putOffMost} traces cannot be told to MLflow yet (${why}), and what comes after it waits in the ledger. See why those traces do not reach MLflow.`,
    );
  }

  return {
    name: 'assessments',
    async run(signal) {
      if (failed) await sleep(settings.awayPauseMs, undefined, { signal }).catch(() => undefined);
      failed = true;
      await retry(signal);
      for (let more = true; more && !signal.aborted; ) more = await readOn(signal);
      failed = false;
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
