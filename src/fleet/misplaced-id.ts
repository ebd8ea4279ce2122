import type { Path } from './read-yaml.ts';

/** What a Slack id is, and where it belongs, when it stands in the other list of an access row. */
export function misplacedId(path: Path, found: unknown): { problem: string; cure: string } | undefined {
  const list = path.at(-2);
  if (typeof found !== 'string') return undefined;
  if (list === 'groups' && /^[UW][A-Z0-9]{2,}$/.test(found)) {
    return { problem: `${found} is a person, no user group`, cure: `Write it under "people"` };
  }
  if (list === 'people' && /^S[A-Z0-9]{2,}$/.test(found)) {
    return { problem: `${found} is a user group, no person`, cure: `Write it under "groups"` };
  }
  return undefined;
}
