/** A table as CSV (RFC 4180): the names of its columns, and a line for each row. */
export function csvText(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [csvHead(columns), ...rows.map(csvLine)].join('');
}

/** The first line of a table: names of ours. */
export function csvHead(columns: readonly string[]): string {
  return `${columns.join(',')}\r\n`;
}

/** A row. Every cell is in quotes, and none is a formula to a spreadsheet. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

/**
 * A cell in quotes. One that a spreadsheet would take for a formula gets an apostrophe: what stands there was written
 * by machines and models (OWASP: CSV Injection; the wide signs are those of East Asian spreadsheets).
 */
function cell(text: string): string {
  const harmless = /^[=+\-@＝＋－＠\t\r\n]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
