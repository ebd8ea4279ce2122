import { csvHead, csvLine } from './csv.ts';
import { toUsd } from './money.ts';
import { type SpendingRow, spentFields } from './spending.ts';

const usedFields = spentFields.filter((field) => field !== 'microUsd');
const columns = ['day', 'machine', 'spender', 'model', ...usedFields, 'costUsd'];

/** The first line of a file of costs; JSON has none. */
export function costFileHead(format: 'json' | 'csv'): string {
  return format === 'csv' ? csvHead(columns) : '';
}

/** What was used on one account on one day, as a line of a file. `costUsd` is what of it is known. */
export function costFileLine(
  { time: day, machine, spender, model, ...spent }: SpendingRow,
  format: 'json' | 'csv',
): string {
  const used = usedFields.map((field) => [field, spent[field]] as const);
  const costUsd = toUsd(spent.microUsd);
  if (format === 'json') {
    return `${JSON.stringify({ day, machine, spender, model, ...Object.fromEntries(used), costUsd })}\n`;
  }
  return csvLine([
    day,
    machine,
    spender,
    model ?? '',
    ...used.map(([, count]) => String(count)),
    String(costUsd),
  ]);
}
