/**
 * Whether the base64 part of `TYPE BASE64` is a whole public key of that type: fields of a four-byte length
 * and as many bytes, of which the first repeats the type (RFC 4253 section 6.6). A key that was cut is none.
 */
export function isHostKeyOfItsType(hostKey: string): boolean {
  const [type = '', base64 = ''] = hostKey.split(' ');
  const blob = Buffer.from(base64, 'base64');
  const fields: Buffer[] = [];
  let at = 0;
  while (at + 4 <= blob.length) {
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return false;
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return at === blob.length && fields.length >= 2 && fields[0]?.toString('latin1') === type;
}
