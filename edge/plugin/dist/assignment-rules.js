import { looksRandom } from './looks-random.js';
import { anyMarker, marker,                  redactRule } from './redact-rule.js';

/** Names of secrets by the kind under which they are reported. Whatever stands before them in a word counts. */
const names = {
  password: [
    'passw(?:or)?d',
    'passphrase',
    // Not the words "bypass" and "pass: 12", nor the variable PWD, which holds a folder.
    String.raw`(?<=[_-])pass(?=[\s"'\\=:\d])`,
    '(?<![a-z])pass(?==)',
    '(?<=[_-])pwd',
    String.raw`(?<![a-z_])pwd(?=["']?\s?[=:]\s?["']?[^\s/"'])`,
  ].join('|'),
  token: 'token',
  secret: [
    'secret',
    'psk',
    '(?:api|access|account|auth|encryption|master|preshared|private|secret|shared|signing)[ _-]?key',
    'connection[_-]?string',
    'x-amz-signature',
  ].join('|'),
};

/** Names under which harmless values stand too: only a value that looks random is a secret there. */
const vagueNames = 'key|auth|credentials?|session|signature|sig|pwd|pass';

/** Endings that make the name one of something harmless: `password_file`, `tokens`, `token_count`. */
const harmlessEnding = [
  's\\b',
  's?[_-]?(?:file|path|dir|type|name|ref|ids?|count|age|url|uri|endpoint|length|limit|ttl|timeout|policy|used|authentication)(?![a-z])',
  's?[_-]?(?:expir|iz)',
].join('|');
const ending = String.raw`(?!${harmlessEnding})\w{0,40}`;

/** In any notation of environments, YAML, JSON (also inside a JSON string), INI, URLs and XML. */
const assigns = String.raw`\\{0,7}["'\x60]?[ \t]{0,32}(?:=>|:=|={1,2}|:|(?<!-)>)[ \t]{0,32}`;

/** Nothing to hide, or hidden already. */
const harmlessValue = String.raw`(?:true|false|null|none|nil|yes|no|undefined|${anyMarker})(?:[\s"'\x60\\,;&)}\]<]|$)`;
const quotedValue = String.raw`(?<open>(?<escapes>\\{0,7})(?<quote>"""|'''|["'\x60]))(?!${harmlessValue})(?:(?!(?<!\\)\k<escapes>\k<quote>)[^\n]){1,65536}`;
const plainValue = String.raw`(?!${harmlessValue})[^\s&"'\x60<]+`;

/** A value after a name: what its quotes hold (escaped quotes too), or all up to a blank, quote, `&` or `<`. */
export const secretValue = `(?:${quotedValue}|${plainValue})`;

/** `name = value`. */
const assigned = Object.entries(names).map(([kind, source]) =>
  redactRule(
    `(?<name>(?:${source})${ending}${assigns})${secretValue}`,
    'gi',
    `$<name>$<open>${marker(kind)}`,
  ),
);

/** `--name value`, also as two strings of a list. */
const options = Object.entries(names).map(([kind, source]) =>
  redactRule(
    String.raw`(?<name>(?:${source})(?<=(?:^|[\s"'\x60[(,])--?[a-z_-]{0,60})${ending}(?:[ \t]{1,8}|["'],\s{0,8}(?=["'])))(?!-)${secretValue}`,
    'gi',
    `$<name>$<open>${marker(kind)}`,
  ),
);

const anyName = Object.values(names).join('|');

/** `password: |` of YAML: the value is the next line. */
const blockScalar = redactRule(
  String.raw`(?<name>(?:${anyName})${ending}["']?:[ \t]{1,32}[|>][+-]?\d?[ \t]{0,32}\r?\n[ \t]{1,128})[^\n]+`,
  'gi',
  `$<name>${marker('secret')}`,
);

/** `name: DB_PASSWORD` and `value: …` under it, as Kubernetes lists environments. */
const nameAndValue = redactRule(
  String.raw`(?<name>\bname["']?:[ \t]{0,8}["']?[A-Za-z0-9_-]{0,64}(?:password|passwd|secret|token|key)["']?,?\s{1,128}["']?value["']?:[ \t]{0,8})${secretValue}`,
  'gi',
  `$<name>$<open>${marker('secret')}`,
);

/** Also in prose: "the token is 8fJ…". */
const random = redactRule(
  String.raw`((?:${vagueNames}|${names.password}|token|secret)(?:${assigns}|[ \t]{1,8}(?:is[ \t]{1,8})?)\\{0,7}["'\x60]?)([A-Za-z0-9+/_.~%-]{20,}={0,2})`,
  'gi',
  (match, before = '', value = '') => (looksRandom(value) ? `${before}${marker('secret')}` : match),
);

/** Secrets known by the name before them. */
export const assignmentRules                        = [
  blockScalar,
  nameAndValue,
  ...options,
  ...assigned,
  random,
];
