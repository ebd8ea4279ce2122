import { environmentSchema, noteOn, type SettingName, settingNames } from './environment.ts';

const head = `# Settings of fleetbot. Generated from src/runtime/environment.ts by "npm run generate".
# Copy to .env. What is marked "required" must be uncommented and given a value of yours. A "default" is in
# force as it stands here. An "example" is off until it is uncommented. A secret NAME can also be given as
# NAME_FILE, the path of a file that holds it.
`;

/** The text of `.env.example`. */
export function envExample(): string {
  return [head, ...settingNames.map(entry)].join('\n');
}

function entry(name: SettingName): string {
  const { about, secret, example = '', required } = noteOn(name);
  const value = environmentSchema.shape[name].safeParse(undefined).data;
  const shown = value === undefined ? example : String(value);
  const needed = required === undefined ? 'example' : `required: ${required}`;
  const mark = value === undefined ? needed : 'default';
  // A private key has many lines; its file is the usual way.
  const variable = secret && shown.startsWith('/') ? `${name}_FILE` : name;
  return `# ${about} [${mark}]\n#${variable}=${shown}\n`;
}
