/** Action ids of our buttons. Each button's `value` is the id of a run, campaign, halt or approval and nothing else. */
export const runAgainActionId = 'run-again';
export const cancelActionId = 'cancel';
export const resumeActionId = 'resume';
export const agreeToResumeActionId = 'agree-to-resume';
/** A link button: Slack opens the link itself, and still wants an acknowledgement. */
export const openTraceActionId = 'open-trace';
/** Their buttons carry the id of an approval. */
export const approveActionId = 'approve';
export const denyActionId = 'deny';
export const approvalDetailsActionId = 'approval-details';
/** Carries the id of a campaign that stopped after a wave. */
export const continueActionId = 'continue';
/** Carries the same. */
export const endWavesActionId = 'end-waves';
/** Carries the id of a hand-over. */
export const takeActionId = 'take-hand-over';
/** Carries the id of the run that acted. */
export const undoActionId = 'undo';
/** Carries the id of a silence. */
export const endSilenceActionId = 'end-silence';
/** Carries the id of an incident. */
export const investigateAgainActionId = 'investigate-again';
/** They carry the id of a run that has an answer. */
export const feedbackActionIds = { good: 'feedback-good', bad: 'feedback-bad' } as const;
