import type { Drive } from './context.ts';

/** Notes that the machine's agent could not be measured inactive. */
export async function quarantine({ held, clock, redact }: Drive, cause: unknown): Promise<void> {
  const reason = redact(cause instanceof Error ? cause.message : String(cause));
  await held.setQuarantine({ runId: held.run.id, reason, at: clock() });
}

/** Ends the machine's quarantine: its agent was measured inactive. */
export async function liftQuarantine({ held, log }: Drive): Promise<void> {
  if (!held.quarantine) return;
  await held.setQuarantine(undefined);
  log.info('measured inactive: quarantine lifted');
}
