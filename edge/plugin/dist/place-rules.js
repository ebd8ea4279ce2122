import { secretValue } from './assignment-rules.js';
import { marker,                  redactRule, wordStart } from './redact-rule.js';

/** `scheme://user:password@host` and `scheme://token@host`; the host stays, and so does `ssh://git@host`. */
const urlCredentials = redactRule(
  [
    '(?<=://)(?:',
    String.raw`[^\s/?#"'\x60<>:@[]{0,256}:[^\s/?#"'\x60<>]{0,4096}`,
    // A password may hold what should have been escaped; `host:port/path` is none.
    String.raw`|[^\s/?#"'\x60<>:@[]{0,256}:(?!\d{1,5}[/?#])[^\s"'\x60<>]{0,512}`,
    String.raw`|(?<!ssh://|sftp://)[^\s/?#"'\x60<>:@[]{1,4096}`,
    ')@',
  ].join(''),
  'gi',
  `${marker('url-credentials')}@`,
);

const headers = redactRule(
  String.raw`(?<name>(?:authorization|(?<![a-z])(?:set-)?cookie)\\{0,7}["']?[ \t]{0,8}[:=][ \t]{0,8})${secretValue}(?:[ \t]+[^\n"'\x60\\]+)?`,
  'gi',
  `$<name>$<open>${marker('authorization')}`,
);

/** A digit, or another character that words do not have, tells a token from "bearer authentication". */
const bearer = redactRule(
  String.raw`(${wordStart}bearer[ \t]{1,8})(?=[A-Za-z]{0,64}[\d._~+/=-])[A-Za-z0-9._~+/=-]{8,}`,
  'gi',
  `$1${marker('authorization')}`,
);

/** Base64 of `user:password`. */
const basic = redactRule(
  String.raw`(${wordStart}basic[ \t]{1,8})([A-Za-z0-9+/]{4,}={0,2})`,
  'gi',
  (match, before = '', credentials = '') =>
    Buffer.from(credentials, 'base64').includes(':') ? `${before}${marker('authorization')}` : match,
);

/** The same where container tools keep logins: `"auth": "…"` of a registry. */
const registryLogin = redactRule(
  String.raw`("auth\\{0,7}"[ \t]{0,8}:[ \t]{0,8}\\{0,7}")([A-Za-z0-9+/]{4,}={0,2})`,
  'g',
  (match, before = '', credentials = '') =>
    Buffer.from(credentials, 'base64').includes(':') ? `${before}${marker('authorization')}` : match,
);

/** Redis' own settings, whose names do not say password. */
const redisPassword = redactRule(
  String.raw`^([ \t]{0,32}(?:requirepass|masterauth)[ \t]{1,32}["']?)[^\s"']+`,
  'gm',
  `$1${marker('password')}`,
);

/** Options that take a password without saying so. */
const commands = redactRule(
  [
    String.raw`(\bsshpass[ \t]{1,8}-p[ \t]{0,8}["']?`,
    String.raw`|\bredis-cli\b[^\n|;&]{0,256}[ \t]-a[ \t]{1,8}["']?`,
    String.raw`|\b(?:mysql|mariadb)(?:dump|admin)?\b[^\n|;&]{0,256}[ \t]-p["']?`,
    String.raw`|\bcurl\b[^\n|;&]{0,256}[ \t](?:-u|--user)[ \t=]{0,8}["']?[^\s:"']{1,64}:)`,
    String.raw`[^\s"']+`,
  ].join(''),
  'g',
  `$1${marker('password')}`,
);

/** `machine … login … password …`, on one line or several. */
const netrc = redactRule(
  String.raw`(\b(?:machine|login|account)\s{1,16}\S{1,256}\s{1,16}password\s{1,16})\S+`,
  'g',
  `$1${marker('password')}`,
);

/** `host:port:database:user:password`, a whole line. */
const pgpass = redactRule(
  String.raw`^([A-Za-z0-9.*_/-]{1,256}:(?:\d{4,5}|\*):[^:\s]{1,64}:[^:\s]{1,64}:)(?:[^:\n\\]|\\.)+$`,
  'gm',
  `$1${marker('password')}`,
);

/** Secrets known by the place where they stand: in URLs, headers, command lines, `.netrc` and `.pgpass`. */
export const placeRules                        = [
  urlCredentials,
  headers,
  bearer,
  basic,
  registryLogin,
  redisPassword,
  commands,
  netrc,
  pgpass,
];
