/** Action ids of our buttons. Each button's `value` is the id of a run, campaign or halt and nothing else. */
export const runAgainActionId = 'run-again';
export const cancelActionId = 'cancel';
export const resumeActionId = 'resume';
export const agreeToResumeActionId = 'agree-to-resume';
/** A link button: Slack opens the link itself, and still wants an acknowledgement. */
export const openTraceActionId = 'open-trace';
