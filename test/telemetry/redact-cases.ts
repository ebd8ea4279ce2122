// What every redactor is held to: src/telemetry/redact.ts and the broker's, in Python.

// Secrets are put together here so that no scanner takes this file for a leak.
export const slack = `xox${'b'}-123456789012-123456789012-AbCdEfGhIjKlMnOpQrStUvWx`;
export const slackApp = `xap${'p'}-1-A0123456789-1234567890123-abcdef0123456789abcdef`;
export const github = `gh${'p'}_16C7e42F292c6912E7710c838347Ae178B4a`;
export const githubFine = `github_${'pat'}_11ABCDEFG0aBcDeFgHiJkL_MnOpQrStUvWxYz0123456789`;
const aws = `AKI${'A'}IOSFODNN7EXAMPLE`;
const awsSecret = `wJalrXUtnFEMI/K7MDENG/${'bPxRfiCYEXAMPLEKEY'}`;
const google = `AIz${'a'}SyA1234567890abcdefghijklmnopqrstuv`;
const openai = `sk-${'proj'}-abc123DEF456ghi789JKL012mno345`;
const anthropic = `sk-${'ant'}-api03-AbCdEf0123456789_AbCdEf-0123456789`;
const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'}`;
const hash = `$${'6'}$rounds=5000$saltsalt$Zq8cJ0qJvY1b3Xo3fG8qVYJ0s1t2u3v4w5x6y7z8A9B0`;
export const random = 'tR8vK2mQ9xL4nB7wZ1cY6pD3';
export const password = 'hunter2!';

const keyLines = Array.from(
  { length: 6 },
  (_, i) => `${'MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQC7'.slice(i)}${'Kd83jZ0aB1'}`,
);
export const keyBody = keyLines.join('\n');
export const begin = `-----BEGIN ${'RSA PRIVATE'} KEY-----`;
export const end = `-----END ${'RSA PRIVATE'} KEY-----`;

const base64Key = Buffer.from('-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA').toString('base64');
const login = Buffer.from('user:password').toString('base64');
const grafana = `glsa_${'aB3d'.repeat(8)}_0123abcd`;
const atlassian = `ATATT3${'xFfGF0ab'.repeat(4)}`;
const signature = 'AbC%2Fd9f8g7h6j5k4l3Mn0%3D';

/** Name, text, and the secret that must not be left of it. */
export const secrets: readonly (readonly [string, string, string])[] = [
  ['a password in a YAML block', 'db:\n  password: >-\n    hunter2x\n  port: 1', 'hunter2x'],
  ["a container's environment", 'env:\n- name: DB_PASSWORD\n  value: hunter2x\n', 'hunter2x'],
  ["a container's environment in JSON", '{"name": "API_KEY",\n "value": "hunter 2x"}', 'hunter 2x'],
  ['a private key in base64, as in a kubeconfig', `client-key-data: ${base64Key}`, base64Key],
  ["a registry's login", `{"auths":{"r.example":{"auth":"${login}"}}}`, login],
  ["a registry's login in a JSON string", `{"a":"{\\"auth\\": \\"${login}\\"}"}`, login],
  ["Redis' password", 'port 6379\nrequirepass foobared\n', 'foobared'],
  ['a Grafana token', `with ${grafana}`, grafana],
  ['an Atlassian token', `with ${atlassian}`, atlassian],
  ['a signature in a URL', `https://x.example/?sig=${signature}&sv=1`, signature],
  ['a Slack bot token', `token ${slack} end`, slack],
  ['a Slack app token', `using ${slackApp}`, slackApp],
  ['a Slack token right after an escaped line break', `{"a":"x\\n${slack}"}`, slack],
  ['a Slack webhook', `https://hooks.slack.com/services/T00000000/B00000000/${random}`, random],
  ['a GitHub token', `remote: ${github}`, github],
  ['a fine-grained GitHub token', githubFine, githubFine],
  ['an AWS access key', `key ${aws} used`, aws],
  ['an AWS secret key', `aws_secret_access_key = ${awsSecret}`, awsSecret],
  ['a Google key', `?key=${google}`, google],
  ['an OpenAI key', `Incorrect API key provided: ${openai}.`, openai],
  ['an Anthropic key', `x-api-key: ${anthropic}`, anthropic],
  ['an Anthropic key behind a hyphen', `old-${anthropic}`, anthropic],
  ['a JSON Web Token', `cookie ${jwt}`, jwt],
  ['an OpenShift token', `sha256~${random}${random}`, random],
  ['a password hash', `root:${hash}:19000:0:99999:7:::`, hash],
  ['a bearer header', `Authorization: Bearer ${random}`, random],
  ['a bearer token alone', `sent Bearer ${random}, got 401`, random],
  ['a basic header', `authorization: Basic ${btoa(`bob:${password}`)}`, btoa(`bob:${password}`)],
  ['basic credentials alone', `Basic ${btoa('bob:pw')}`, btoa('bob:pw')],
  ['a header of curl', `curl -H 'Authorization: Token ${random}' https://x.example`, random],
  ['a header in JSON', `{"Authorization":"Bearer ${random}","a":1}`, random],
  ['a cookie', `Cookie: a=b; sid=${random}`, random],
  ['password=', `user=bob password=${password} db=x`, password],
  ['PASSWORD in an environment', `DB_PASSWORD=${password}\nHOME=/root`, password],
  ['PGPASSWORD', `PGPASSWORD=${password} psql -h db`, password],
  ['MYSQL_PWD', `MYSQL_PWD=${password}`, password],
  ['smtp_pass', `smtp_pass: ${password}`, password],
  ['pass=', `user=u&pass=${password}&x=1`, password],
  ['a password with blanks in quotes', 'password: "correct horse"', 'correct horse'],
  ['a password with an escaped quote', '{"password": "a\\"secretpart"}', 'secretpart'],
  ['a password in three quotes', 'password = """hunter2"""', 'hunter2'],
  ['JSON', `{"user":"bob","token": "${password}"}`, password],
  ['JSON in JSON', `{"body":"{\\"client_secret\\":\\"${password}\\"}"}`, password],
  ['JSON in JSON, with a quote in it', '{"b":"{\\"password\\":\\"a\\\\\\"tailpart\\"}"}', 'tailpart'],
  ['camel case', `accessToken: '${password}'`, password],
  ['a query', `GET /x?access_token=${password}&a=1`, password],
  ['XML', `<password>${password}</password>`, password],
  ['a hash of Ruby', `'api_key' => '${password}'`, password],
  ['WireGuard', `PrivateKey = ${random}${random}=`, random],
  ['npm', `//r.example/:_authToken=${password}`, password],
  ['--password x', `mysqldump --password ${password} db`, password],
  ['--db-password=x', `run --db-password=${password}`, password],
  ['--token in a list', `["oc","login","--token","${password}"]`, password],
  ['sshpass', `sshpass -p ${password} ssh host`, password],
  ['mysql -p', `mysql -u root -p${password} db`, password],
  ['redis-cli', `redis-cli -h x -a ${password} ping`, password],
  ['curl -u', `curl -s -u bob:${password} https://x.example`, password],
  ['.netrc on one line', `machine h.example login bob password ${password}`, password],
  ['.netrc on several lines', `machine h.example\n  login bob\n  password ${password}\n`, password],
  ['.pgpass', `x\ndb.example:5432:app:bob:${password}\ny`, password],
  ['a URL', `postgres://bob:${password}@db.example:5432/app`, password],
  ['a URL without user', `redis://:${password}@127.0.0.1:6379/0`, password],
  ['a URL with a token as user', `https://${random}@git.example/x.git`, random],
  ['a URL with unescaped signs', 'amqp://bob:p@ss/w?rd@mq.example/x', 'p@ss/w?rd'],
  ['prose with a random value', `the secret is ${random}.`, random],
  ['a vague name with a random value', `auth: ${random}`, random],
  ['a private key', `a\n${begin}\n${keyBody}\n${end}\nb`, 'MIIE'],
  ['a private key on one line', `KEY="${begin} ${keyLines.join(' ')} ${end}"`, 'MIIE'],
  ['a private key in JSON', JSON.stringify({ k: `${begin}\n${keyBody}\n${end}\n` }), 'kqhkiG9w0'],
  ['a private key without its end', `${begin}\n${keyBody}`, 'kqhkiG9w0'],
  ['a private key whose end was cut', `${begin}\n${keyBody}… (cut)\nnext`, 'kqhkiG9w0'],
  ['a private key on one line without its end', `${begin} ${keyLines.join('')}`, 'kqhkiG9w0'],
  ['a private key without its beginning', `bc0\n${keyBody}\n${end}\nb`, 'kqhkiG9w0'],
  ['a private key with a hole', `${begin}\n${keyBody}\n[… 9 lines …]\n${keyBody}\n${end}`, 'kqhkiG9w0'],
  ['an OpenSSH key without its first line', `b3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n${keyBody}\n`, 'kqhkiG9w0'],
];

/** Name, and a text that is none of a redactor's business. */
export const harmless: readonly (readonly [string, string])[] = [
  [
    'a certificate in base64',
    `client-certificate-data: ${Buffer.from('-----BEGIN CERTIFICATE-----\nMIIDBTCCAe2gAwIBAgI').toString('base64')}`,
  ],
  [
    'df',
    'Filesystem     1024-blocks     Used Available Capacity Mounted on\n/dev/vda1         41152736 21345678  17693216      55% /\ntmpfs  1 0 1 0% /run/secrets\ntmpfs 1 0 1 0% /run/credentials/systemd-journald.service',
  ],
  [
    'meminfo',
    'MemTotal:       16384000 kB\nSecPageTables:         0 kB\nKeyboard: x\nHugePages_Total:       0',
  ],
  [
    'ps',
    'root  1  0.0 0.1 systemd --switched-root\nroot 22 0 0 [kworker/0:1-events]\nroot 9 sshd: fleetbot [priv]\nu 8 ssh-agent -s\nu 7 kubelet --config=/etc/k.yaml --token-auth-file=/etc/t --key-file=/a/b.pem\nu 6 docker run --user 1000:1000 x\nroot 5 basic authentication bearer authentication',
  ],
  [
    'systemctl',
    '  systemd-ask-password-wall.path loaded active waiting Forward Password Requests to Wall Directory Watch\n● rhsm-token.service loaded failed failed Token\n  sshd.service loaded active running OpenSSH server daemon\nPasswordAuthentication=no\nKeyringMode=private\nPASSWORD_FILE=/run/x\ntoken_type: bearer\ninput_tokens: 4096, tokens=12',
  ],
  ['load', '0.12 0.34 0.56 1/234 5678'],
  [
    'ids',
    'run r-mb1x2y3z0a1b trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7 traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 tr-4bf92f3577b34da6a3ce929d0e0e4736',
  ],
  ['UUIDs', 'UUID=550e8400-e29b-41d4-a716-446655440000 session 550e8400-e29b-41d4-a716-446655440000'],
  ['digests', 'quay.example/x@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
  [
    'host keys',
    'hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1Qb2m0Zk8dYx7vWc3uTn5RrLp9sEa4Gh6Fj2KiMoNq"\nkey AAAAC3NzaC1lZDI1NTE5AAAAIJ1Qb2m0Zk8dYx7vWc3uTn5RrLp9sEa4Gh6Fj2KiMoNq\nkey fingerprint is SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU',
  ],
  ['a certificate', `-----BEGIN CERTIFICATE-----\n${keyBody}\n-----END CERTIFICATE-----`],
  [
    'URLs',
    'https://host:8080/path@v1?x=a@b.com ssh://git@github.example/x http://[::1]:8080/x@y mailto:a@b.c',
  ],
  [
    'words',
    'task-runner-1 disk-usage-check-2024 risk-based-approach password expired, pwd=/home/bob PWD=/root bypass: yes pass: 12 fail: 0',
  ],
  ['addresses', '2001:1234:5678:9abc:def0:1:2:3\n00:15:5d:01:02:03\nroot:x:0:0:root:/root:/bin/bash'],
  ['empty values', 'PASSWORD=\nNEXT=1 {"password":"","user":"bob","token":null}'],
];
