import { parse } from 'yaml';

/** A unit file's sections and what they set; a key that is set twice is an error here, though not for systemd. */
export function readUnit(text: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {};
  let section: Record<string, string> | undefined;
  for (const line of logicalLines(text)) {
    const name = /^\[(\w+)\]$/.exec(line)?.[1];
    if (name !== undefined) {
      section = sections[name] ??= {};
      continue;
    }
    const [, key = '', value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (section === undefined || key === '' || key in section)
      throw new Error(`Not a unit file's line: ${line}`);
    section[key] = value;
  }
  return sections;
}

/** Without comments and empty lines; a line that ends with a backslash goes on in the next that is no comment. */
function logicalLines(text: string): string[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  const joined = lines.join('\n').replaceAll(/\\\n[ \t]*/g, ' ');
  return joined.split('\n').flatMap((line) => line.trim() || []);
}

/** A pod's YAML. @throws where a key is there twice */
export function readPod(text: string): unknown {
  return parse(text, { uniqueKeys: true, strict: true });
}
