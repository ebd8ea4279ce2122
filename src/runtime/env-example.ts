import { environmentSchema, noteOn, type SettingName, settingNames } from './environment.ts';

const head = `# Settings of fleetbot. Generated from src/runtime/environment.ts by "npm run generate".
# Copy to .env and uncomment what differs from what stands here. A secret NAME can also be given
# as NAME_FILE, the path of a file that holds it.
`;

/** The text of `.env.example`. */
export function envExample(): string {
  return [head, ...settingNames.map(entry)].join('\n');
}

function entry(name: SettingName): string {
  const { about, secret, example = '' } = noteOn(name);
  const value = environmentSchema.shape[name].safeParse(undefined).data;
  const shown = value === undefined ? example : String(value);
  // A private key has many lines; its file is the usual way.
  const variable = secret && shown.startsWith('/') ? `${name}_FILE` : name;
  return `# ${about}\n#${variable}=${shown}\n`;
}
