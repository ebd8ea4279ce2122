import { marker,                  redactRule, wordStart } from './redact-rule.js';

/** Tokens known by their form, wherever they stand; by the kind under which they are reported. */
const forms                                              = {
  'slack-token': [
    String.raw`xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}`,
    String.raw`xapp-\d-[A-Za-z0-9-]{8,}`,
    String.raw`(?<=hooks\.slack\.com/[a-z]{1,20}/)[A-Za-z0-9/]{8,}`,
  ],
  'github-token': ['gh[pousr]_[A-Za-z0-9]{16,}', 'github_pat_[A-Za-z0-9_]{16,}'],
  'gitlab-token': ['gl(?:pat|dt|rt|ptt|ft|soat|cbt|agent)-[A-Za-z0-9_.-]{20,}'],
  'aws-key': ['(?<![A-Z0-9])A(?:KIA|SIA|ROA|IDA|GPA|NPA)[A-Z0-9]{16}(?![A-Z0-9])'],
  'google-key': [
    'AIza[A-Za-z0-9_-]{35}',
    String.raw`ya29\.[A-Za-z0-9_.-]{20,}`,
    'GOCSPX-[A-Za-z0-9_-]{20,}',
    `${wordStart}1//0[A-Za-z0-9_-]{30,}`,
  ],
  'api-key': [
    // OpenAI, Anthropic and those who copied them. The digit tells them from hyphenated words.
    String.raw`${wordStart}sk-(?=[A-Za-z_-]{0,64}\d)[A-Za-z0-9_-]{16,}`,
    '[sr]k_(?:live|test)_[A-Za-z0-9]{16,}',
    'npm_[A-Za-z0-9]{30,}',
    'pypi-[A-Za-z0-9_-]{40,}',
    'hf_[A-Za-z0-9]{30,}',
    'do[opr]_v1_[a-f0-9]{40,}',
    String.raw`SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}`,
    String.raw`${wordStart}hv[sbr]\.[A-Za-z0-9_-]{20,}`,
    'dckr_pat_[A-Za-z0-9_-]{20,}',
    'AGE-SECRET-KEY-1[A-Z0-9]{20,}',
    'glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}',
    'ATATT3[A-Za-z0-9_=-]{20,}',
    // OpenShift's OAuth tokens; the digest of an image has a colon in that place.
    'sha256~[A-Za-z0-9_-]{30,}',
  ],
  // Not after a hyphen: each of many beginnings would be searched to the end.
  jwt: [String.raw`${wordStart}(?<!-)eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}`],
  // Base64 of `-----BEGIN … PRIVATE KEY`, as in kubeconfigs and Kubernetes' Secrets; not of CERTIFICATE or PUBLIC KEY.
  'private-key': ['LS0tLS1CRUdJTi(?!BDRVJU|BQVUJMSUMg)[A-Za-z0-9+/]{12,}={0,2}'],
  // As in /etc/shadow.
  'password-hash': [String.raw`\$(?:1|2[abxy]|5|6|7|y|gy|argon2id?|scrypt)\$[A-Za-z0-9./$=,+]{20,}`],
};

/** Tokens of Slack, GitHub, AWS, Google, OpenAI, Anthropic and others; JSON Web Tokens; password hashes. */
export const tokenRules                        = Object.entries(forms).map(([kind, sources]) =>
  redactRule(sources.join('|'), 'g', marker(kind)),
);
