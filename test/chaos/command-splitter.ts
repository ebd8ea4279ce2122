/** One Redis command as it stood in the stream, with its words. */
export interface WireCommand {
  readonly bytes: Buffer;
  readonly words: readonly Buffer[];
}

const lineEnd = '\r\n';

/**
 * Cuts a client's stream into commands. Protocol: RESP, https://redis.io/docs/latest/develop/reference/protocol-spec:
 * a client sends arrays of bulk strings, `*COUNT`, then `$LENGTH` and that many bytes for each.
 */
export class CommandSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** The commands that are complete with this chunk. @throws Error for what is no array of bulk strings */
  push(chunk: Buffer): WireCommand[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const commands: WireCommand[] = [];
    for (let command = this.#next(); command !== undefined; command = this.#next()) commands.push(command);
    return commands;
  }

  #next(): WireCommand | undefined {
    const count = this.#header(0, '*');
    if (count === undefined) return undefined;
    const words: Buffer[] = [];
    let at = count.end;
    while (words.length < count.value) {
      const length = this.#header(at, '$');
      if (length === undefined) return undefined;
      const end = length.end + length.value;
      if (this.#rest.length < end + lineEnd.length) return undefined;
      words.push(this.#rest.subarray(length.end, end));
      at = end + lineEnd.length;
    }
    const bytes = this.#rest.subarray(0, at);
    this.#rest = this.#rest.subarray(at);
    return { bytes, words };
  }

  #header(at: number, mark: string): { value: number; end: number } | undefined {
    const end = this.#rest.indexOf(lineEnd, at);
    if (end < 0) return undefined;
    const text = this.#rest.toString('latin1', at, end);
    const value = Number(text.slice(1));
    if (text[0] !== mark || !Number.isInteger(value))
      throw new Error(`no Redis command: ${text.slice(0, 40)}`);
    return { value, end: end + lineEnd.length };
  }
}
