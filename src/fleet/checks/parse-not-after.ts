const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * The end of a certificate's validity as `openssl x509 -enddate` prints it, `notAfter=Dec 22 17:35:33 2026 GMT`,
 * in milliseconds since the epoch; undefined where there is none.
 */
export function parseNotAfter(text: string): number | undefined {
  const [, month = '', day, hour, minute, second, year] =
    /^notAfter=(\w{3}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.\d+)? (\d{4}) GMT$/m.exec(text) ?? [];
  if (!months.includes(month)) return undefined;
  return Date.UTC(
    Number(year),
    months.indexOf(month),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
}
