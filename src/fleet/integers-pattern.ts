/**
 * Regular expression, in what JavaScript and Python have in common, for the whole numbers from `min` to `max` as they
 * are written without leading zeros and without "+". Both are safe integers.
 */
export function integersPattern(min: number, max: number): string {
  const negative = min < 0 ? upTo(Math.max(1, -max), -min).map((pattern) => `-${pattern}`) : [];
  const others = max >= 0 ? upTo(Math.max(0, min), max) : [];
  return `(?:${[...negative, ...others].join('|')})`;
}

/** Patterns for the numbers from `min` to `max`, neither negative: those of each length by themselves. */
function upTo(min: number, max: number): string[] {
  const [first, last] = [String(min), String(max)];
  return Array.from({ length: last.length - first.length + 1 }, (_, index) => {
    const digits = first.length + index;
    const low = index === 0 ? first : `1${'0'.repeat(digits - 1)}`;
    return ofSameLength(low, digits === last.length ? last : '9'.repeat(digits));
  }).flat();
}

/** Patterns for what stands between two texts of as many digits. */
function ofSameLength(low: string, high: string): string[] {
  if (low === '') return [''];
  const [from, to] = [Number(low[0]), Number(high[0])];
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  if (from === to) return ofSameLength(lowRest, highRest).map((rest) => `${from}${rest}`);
  // The first digits after which every other digit may follow.
  const first = /^0*$/.test(lowRest) ? from : from + 1;
  const last = /^9*$/.test(highRest) ? to : to - 1;
  const below = first === from ? [] : ofSameLength(lowRest, '9'.repeat(lowRest.length));
  const above = last === to ? [] : ofSameLength('0'.repeat(highRest.length), highRest);
  const others = lowRest.length === 0 ? '' : `[0-9]{${lowRest.length}}`;
  return [
    ...below.map((rest) => `${from}${rest}`),
    ...(first > last ? [] : [`[${first}-${last}]${others}`]),
    ...above.map((rest) => `${to}${rest}`),
  ];
}
