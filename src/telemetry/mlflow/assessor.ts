import { createHash } from 'node:crypto';
import { type Assessment, isLaterWord } from '../../fleet/assessment.ts';
import { MlflowError } from '../../fleet/errors.ts';
import type { MlflowClient } from './client.ts';

/** Metadata of an assessment: where it stands in the ledger. Only ours have it. */
const placeInLedger = 'fleet.id';

/** What became of an assessment; `later` says why it cannot stand with its trace yet. */
export type Assessed = { readonly result: 'created' | 'updated' | 'there' } | { readonly later: string };

/** Brings assessments to MLflow. */
export interface Assessor {
  /**
   * Sees to it that the last word of a person stands with the trace, once, however often and in whatever order their
   * words are told.
   * @throws MlflowError where MLflow takes nothing at the moment
   * @throws the reason of `signal`
   */
  assess(assessment: Assessment, signal: AbortSignal): Promise<Assessed>;
}

/** An assessor of what the client reaches. */
export function createAssessor(
  client: Pick<MlflowClient, 'trace' | 'assess' | 'updateAssessment'>,
): Assessor {
  async function bring(assessment: Assessment, signal: AbortSignal): Promise<Assessed> {
    const { id, trace, name, value, person, reason = '' } = assessment;
    const stored = await client.trace(trace, signal);
    if (stored === undefined) return { later: 'MLflow does not know the trace' };
    const before = stored.assessments.find(
      (each) => each.name === name && each.source.id === person && each.metadata[placeInLedger] !== undefined,
    );
    const metadata = { [placeInLedger]: id };
    if (before === undefined) {
      const assessmentId = idOf(assessment);
      const rationale = reason === '' ? undefined : reason;
      const created = { assessmentId, name, value, sourceId: person, rationale, metadata };
      await client.assess(trace, created, signal);
      return { result: 'created' };
    }
    if (!isLaterWord(id, before.metadata[placeInLedger] ?? '')) return { result: 'there' };
    const change = { value, rationale: reason, metadata };
    await client.updateAssessment(trace, before.assessmentId, change, signal);
    return { result: 'updated' };
  }

  return {
    async assess(assessment, signal) {
      try {
        return await bring(assessment, signal);
      } catch (error) {
        const isOfThisOne =
          error instanceof MlflowError &&
          (error.code === 'mlflow-unknown' || error.code === 'mlflow-refused');
        if (!isOfThisOne) throw error;
        return { later: error.message };
      }
    },
  };
}

/**
 * The same for all words of a person on a trace: MLflow keeps one assessment of an id, so that one that is created
 * twice at the same moment is one.
 */
function idOf({ trace, name, person }: Assessment): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([trace, name, person]))
    .digest('hex');
  return `fleet-${digest.slice(0, 32)}`;
}
