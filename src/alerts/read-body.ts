import type { IncomingMessage } from 'node:http';

/**
 * The whole body; `too-large` as soon as it is more than so many bytes, `broken-off` when the sender goes away or takes
 * too long. Never rejects.
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Buffer | 'too-large' | 'broken-off'> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return 'too-large';
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      const part = Buffer.from(chunk);
      bytes += part.length;
      if (bytes > maxBytes) return 'too-large';
      chunks.push(part);
    }
  } catch {
    return 'broken-off';
  }
  return Buffer.concat(chunks);
}
