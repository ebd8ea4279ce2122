import { createHash } from 'node:crypto';
import { type Alert, alertTextMaxCharacters } from '../fleet/alert.ts';
import { canonicalJson } from '../fleet/canonical-json.ts';
import type { Redact } from './ports.ts';

/** An alert as it was read, before secrets are removed and what is too long is cut. */
export interface AlertDraft extends Omit<Alert, 'fingerprint' | 'labels' | 'url' | 'startsAt'> {
  /** What tells it from others in every message about it: the monitoring's own fingerprint, or what makes one. */
  readonly identity: string | Readonly<Record<string, string>>;
  readonly labels: ReadonlyMap<string, string>;
  readonly startsAt?: number | undefined;
  readonly url?: string | undefined;
}

const nameMaxCharacters = 200;
const labelsMax = 64;
const labelNameMaxCharacters = 100;
const labelValueMaxCharacters = 500;
const urlMaxCharacters = 2_000;
/** A machine's name must have room behind it (see `FoundAlert`). */
const ownFingerprint = /^[A-Za-z0-9._:-]{1,60}$/;
const fingerprintDigits = 32;

/** The alert, without secrets and in bounded space, whatever its sender wrote. */
export function tidyAlert(draft: AlertDraft, redact: Redact): Alert {
  const name = clip(redact(draft.name).replace(/\s+/g, ' ').trim(), nameMaxCharacters);
  const url = draft.url === undefined ? undefined : webAddress(redact(draft.url));
  return {
    fingerprint: fingerprintOf(draft.name, draft.identity),
    source: draft.source,
    status: draft.status,
    name: name === '' ? 'alert' : name,
    labels: Object.fromEntries(
      [...draft.labels].slice(0, labelsMax).map(([label, value]) => tidyLabel(label, value, redact)),
    ),
    text: clip(redact(draft.text).trim(), alertTextMaxCharacters),
    ...(draft.startsAt !== undefined && { startsAt: draft.startsAt }),
    ...(url !== undefined && { url }),
  };
}

function fingerprintOf(name: string, identity: AlertDraft['identity']): string {
  if (typeof identity === 'string' && ownFingerprint.test(identity)) return identity;
  const text = canonicalJson({ name: name.toLowerCase(), identity });
  return createHash('sha256').update(text).digest('hex').slice(0, fingerprintDigits);
}

/** Redacted together, because the name tells what is a password. */
function tidyLabel(label: string, value: string, redact: Redact): readonly [string, string] {
  const name = clip(redact(label), labelNameMaxCharacters);
  const both = redact(`${label}=${value}`);
  const shown = both.startsWith(`${label}=`) ? both.slice(label.length + 1) : both;
  // In a text the secret would end at the first blank; here all of the value is it.
  const [hidden] = /^\[redacted:[^\]]*\]/.exec(shown) ?? [];
  return [name, clip(hidden ?? shown, labelValueMaxCharacters)];
}

function webAddress(text: string): string | undefined {
  if (text.length > urlMaxCharacters || !/^https?:\/\//i.test(text)) return undefined;
  // As it is parsed: without the blanks, line breaks and pointed brackets that would end a link in Slack.
  return URL.parse(text)?.href;
}

/** Whole characters only; `…` where something was cut. */
export function clip(text: string, maxCharacters: number): string {
  const whole = text.toWellFormed();
  if (whole.length <= maxCharacters) return whole;
  return `${whole.slice(0, maxCharacters - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
