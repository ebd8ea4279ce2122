/**
 * Money is counted in whole micro-dollars, so that sums are exact whatever is added in which order; people read US
 * dollars.
 */
const microPerUsd = 1_000_000;
const microPerCent = microPerUsd / 100;
/** What is less than a cent is told with so many digits that matter. */
const smallDigits = 2;

/** US dollars as whole micro-dollars. */
export function toMicroUsd(usd: number): number {
  return Math.round(usd * microPerUsd);
}

/** The other way. */
export function toUsd(microUsd: number): number {
  return microUsd / microPerUsd;
}

/** US dollars to the micro-dollar: what is reckoned in parts of numbers ends in a tail of noise. */
export function roundUsd(usd: number): number {
  return toUsd(toMicroUsd(usd));
}

/** As people read it: in cents, `$1,234.50`; what is less than a cent is not told as nothing: `$0.0042`. */
export function formatMicroUsd(microUsd: number): string {
  if (microUsd === 0 || microUsd >= microPerCent) {
    const cents = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
    return `$${toUsd(microUsd).toLocaleString('en-US', cents)}`;
  }
  return `$${toUsd(microUsd).toLocaleString('en-US', { maximumSignificantDigits: smallDigits })}`;
}

/** The same of US dollars. What is not nothing, but less than a micro-dollar, is told as one. */
export function formatUsd(usd: number): string {
  return formatMicroUsd(usd > 0 ? Math.max(1, toMicroUsd(usd)) : 0);
}
