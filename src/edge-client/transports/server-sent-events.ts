/** An event longer than this is not one of a chat completion, in characters. */
const eventMaxCharacters = 1024 * 1024;

/**
 * The `data` of each server-sent event of a body, in order (HTML standard, section 9.2); comments and other
 * fields are dropped. An event that the body's end cuts short is dropped too.
 * @throws Error when an event is too long, and whatever reading the body throws
 */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  let dataCharacters = 0;
  for await (const chunk of body) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split(/\r\n|\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data:')) {
        data.push(line.slice('data:'.length).replace(/^ /, ''));
        dataCharacters += line.length;
      } else if (line === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
        dataCharacters = 0;
      }
    }
    if (rest.length + dataCharacters > eventMaxCharacters) {
      throw new Error(`an event is longer than ${eventMaxCharacters} characters`);
    }
  }
}
