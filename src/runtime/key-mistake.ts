import { createPrivateKey } from 'node:crypto';
import type { SettingName } from './environment.ts';

/** What stands in the place of an Ed25519 key, in words for whoever set it, with the cure. Never the value itself. */
export function keyMistake(name: SettingName, value: string): string | undefined {
  if (!/_(?:KEYS?|CA|CERT)$/.test(name)) return undefined;
  if (/^(?:\/|\.{1,2}\/|~\/)[^\n]*$/.test(value)) {
    return `is the path of a file. Set ${name}_FILE to it, and remove ${name}.`;
  }
  if (name === 'FLEETBOT_DECISION_PUBLIC_KEYS') return publicKeysMistake(value);
  const isOurs = name === 'FLEETBOT_DECISION_KEY' || name === 'FLEETBOT_CAPSULE_KEY';
  return isOurs ? privateKeyMistake(name, value) : undefined;
}

function publicKeysMistake(value: string): string | undefined {
  if (/BEGIN [A-Z ]*PRIVATE KEY/.test(value)) {
    return 'is a private key: it must not be here. Give the .pub file.';
  }
  const [, type] = /^\s*((?:ssh|ecdsa|sk)-(?!ed25519\s)\S+)\s/m.exec(value) ?? [];
  if (type === undefined) return undefined;
  return `holds a key of the type ${type}, and only ssh-ed25519 can be used. "fleetbot decision key NEW_FILE" makes one.`;
}

function privateKeyMistake(name: SettingName, value: string): string | undefined {
  if (/^(?:ssh|ecdsa|sk)-\S+ /.test(value) || /BEGIN [A-Z ]*PUBLIC KEY/.test(value)) {
    return 'is a public key. Give the private key: the file without .pub.';
  }
  const type = privateKeyType(value);
  if (type === undefined || type === 'ed25519') return undefined;
  const kind = name === 'FLEETBOT_CAPSULE_KEY' ? 'capsule' : 'decision';
  return `is a key of the type ${type}, and only ed25519 can be used. "fleetbot ${kind} key NEW_FILE" makes one.`;
}

function privateKeyType(pem: string): string | undefined {
  try {
    return createPrivateKey(pem).asymmetricKeyType;
  } catch {
    return undefined;
  }
}
