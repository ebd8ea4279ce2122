import { z } from 'zod';

/** What the reconciler found, and what it did about it. */
export const findingKinds = [
  /** An agent ran that no run had started, or whose run is over: it was stopped and measured inactive. */
  'stray-stopped',
  /** The same, but it could not be stopped: the machine is quarantined. */
  'stray-unstoppable',
  /** A quarantined machine was measured inactive. */
  'quarantine-lifted',
  /** A machine that a halt holds for was locked when it came back, or had lost its lock. */
  'locked-late',
  /** A machine is locked by other means than a halt. */
  'foreign-lock',
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** A sentence in a machine's channel that nobody asked for. Posted once, never edited. */
export const noticeSchema = z.object({
  /** `n-…`. */
  id: z.string(),
  kind: z.enum(findingKinds),
  machine: z.string(),
  channel: z.string(),
  /** For people; redacted. */
  text: z.string(),
  /** The run that the agent said it belonged to, where it said one. */
  runId: z.string().optional(),
  at: z.int(),
});
export type Notice = z.infer<typeof noticeSchema>;
