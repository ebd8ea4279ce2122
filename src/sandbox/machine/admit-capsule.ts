import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { actionDigest } from '../../fleet/action.ts';
import { type Capsule, capsuleNamespace, capsuleSchema, signedCapsuleSchema } from '../../fleet/capsule.ts';
import { signerOf } from '../../fleet/ssh-signature.ts';

/** How far the signer's clock may be ahead of this machine's. */
const clocksMayDifferMs = 60_000;

/** An action that the machine is authorised for, as its policy has it: one pattern for each word. */
export const actionRuleSchema = z.strictObject({
  argv: z.array(z.string()).min(1),
  timeoutSeconds: z.int().positive(),
  interruptible: z.boolean(),
  summary: z.string(),
});
export type ActionRule = z.infer<typeof actionRuleSchema>;

/** A capsule that may be run, and the rule that it follows; or why not, as a sentence. */
export type Admission =
  | { readonly capsule: Capsule; readonly rule: ActionRule }
  | { readonly problem: string };

/** Whether people approved what came over the gate for this machine, under this fence and now. */
export function admitCapsule(
  signedCapsule: string,
  here: {
    readonly machine: string;
    readonly fence: number;
    readonly now: number;
    readonly signers: readonly KeyObject[];
    readonly actions: ReadonlyMap<string, ActionRule>;
  },
): Admission {
  const { signers, actions } = here;
  if (signers.length === 0) {
    return { problem: 'This machine carries no key that could approve a change: it can only be read.' };
  }
  const signed = signedCapsuleSchema.safeParse(parseJson(signedCapsule)).data;
  if (signed === undefined) return { problem: 'The capsule cannot be read: it is none.' };
  if (signerOf(signers, capsuleNamespace, signed.capsule, signed.signature) === undefined) {
    return { problem: "The capsule's signature is none of a key that this machine carries." };
  }
  const capsule = capsuleSchema.safeParse(parseJson(signed.capsule)).data;
  if (capsule === undefined) {
    return { problem: 'The capsule cannot be read: install the same fleetbot on both sides.' };
  }
  const problem = problemOf(capsule, here);
  if (problem !== undefined) return { problem };
  const rule = actions.get(capsule.action);
  if (rule === undefined) {
    const authorised = [...actions.keys()].join(', ') || 'none';
    return {
      problem: `The action "${capsule.action}" is not among those that this machine is authorised for: ${authorised}.`,
    };
  }
  const fits =
    capsule.argv.length === rule.argv.length &&
    capsule.argv.every((word, index) => new RegExp(`^(?:${rule.argv[index]})$`).test(word));
  if (!fits) return { problem: `The words of ${capsule.action} are not what this machine's policy allows.` };
  return { capsule, rule };
}

function problemOf(
  { machine, fence, signedAt, expiresAt, digest, argv }: Capsule,
  here: { readonly machine: string; readonly fence: number; readonly now: number },
): string | undefined {
  if (machine !== here.machine) return `It was signed for ${machine}, and this is ${here.machine}.`;
  if (fence !== here.fence) return `It was signed for fence ${fence} and came under ${here.fence}.`;
  const clock = `this machine's clock says ${isoTime(here.now)}. If that is wrong, set it right; else have it signed anew.`;
  if (signedAt > here.now + clocksMayDifferMs) {
    return `It was signed at ${isoTime(signedAt)}, which is still to come: ${clock}`;
  }
  if (expiresAt <= here.now) return `It expired at ${isoTime(expiresAt)}: ${clock}`;
  if (digest !== actionDigest(machine, argv)) {
    return 'Its digest is not that of its arguments: signer and machine do not understand each other.';
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A time that no `Date` can hold is shown as the latest one. */
function isoTime(ms: number): string {
  return new Date(Math.max(0, Math.min(ms, 8.64e15))).toISOString();
}
