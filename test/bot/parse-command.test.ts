import { describe, expect, it } from 'vitest';
import { commands } from '../../src/bot/commands/index.ts';
import { parseCommand } from '../../src/bot/parse-command.ts';
import { plainText } from '../../src/bot/plain-text.ts';
import { InputError } from '../../src/fleet/errors.ts';
import { questionMaxCharacters, taskSchema } from '../../src/fleet/request.ts';

const parse = (text: string) => {
  const { command, input } = parseCommand(text, commands);
  return { command, input };
};

describe('what is typed after /fleet', () => {
  it.each([
    ['', 'help', undefined],
    ['  help ', 'help', undefined],
    ['list', 'list', { selector: undefined }],
    ['list env=prod', 'list', { selector: 'env=prod' }],
    ['show rhel-01', 'show', { machine: 'rhel-01' }],
    ['check rhel-01 disk', 'check', { selector: 'rhel-01', check: 'disk' }],
    ['CHECK  rhel-01   Disk', 'check', { selector: 'rhel-01', check: 'disk' }],
    ['ask rhel-01 why so slow?', 'ask', { selector: 'rhel-01', question: 'why so slow?' }],
    ['ask rhel-01 "why so slow?"', 'ask', { selector: 'rhel-01', question: 'why so slow?' }],
    ['ask rhel-01 "a" or "b"?', 'ask', { selector: 'rhel-01', question: '"a" or "b"?' }],
    ['runs', 'runs', { machine: undefined }],
    ['runs rhel-01', 'runs', { machine: 'rhel-01' }],
    ['cancel R-0123456789AB', 'cancel', { id: 'r-0123456789ab' }],
  ])('"%s" is understood', (text, command, input) => {
    expect(parse(text)).toEqual({ command, input });
  });

  it.each([
    ['chek rhel-01 disk', /Did you mean `\/fleet check`/],
    ['frobnicate', /no command `frobnicate`\. `\/fleet help`/],
    ['show', /Which machine\?.*`\/fleet show <machine>`/],
    ['show a b', /One machine at a time/],
    ['check', /Which machine, and which check\?/],
    ['cancel', /Which run\?/],
    ['ask rhel-01 ""', /What do you want to ask/],
    ['runs a b', /One machine at a time/],
    ['list a b', /One selector at a time/],
    ['ask web-* & env=test why so slow?', /selector without blanks/],
    ['ask web-01, web-02 why so slow?', /selector without blanks/],
    ['check role=web &amp;env=prod disk', /selector without blanks/],
    ['list role=web , role=db', /selector without blanks/],
  ])('"%s" is answered with what to type instead', (text, message) => {
    expect(() => parse(text)).toThrow(InputError);
    expect(() => parse(text)).toThrow(message);
  });

  it('may hold a question as long as a request may hold, and not longer', () => {
    const question = 'x'.repeat(questionMaxCharacters);
    expect(parse(`ask rhel-01 ${question}`).input).toEqual({ selector: 'rhel-01', question });
    expect(taskSchema.safeParse({ kind: 'ask', question }).success).toBe(true);
    expect(() => parse(`ask rhel-01 ${question}x`)).toThrow(/may have 4000 characters; yours has 4001/);
  });
});

describe('the text that Slack sends', () => {
  it.each([
    ['show <http://rhel-01.example|rhel-01.example>', 'show rhel-01.example'],
    ['<https://a.example/x?a=1&amp;b=2>', 'https://a.example/x?a=1&b=2'],
    ['<mailto:root@rhel-01|root@rhel-01>', 'root@rhel-01'],
    ['ask a who is <@U123|ann> in <#C1|ops>', 'ask a who is <@U123|ann> in <#C1|ops>'],
    ['a &lt;b&gt; &amp;amp; c', 'a <b> &amp; c'],
    ['“quoted” ‘text’', '"quoted" \'text\''],
    ['rhel–01 \u2014help', 'rhel-01 --help'],
    ['a\u00a0b\u200b\tc', 'a b c'],
  ])('%s becomes what the person typed', (text, typed) => {
    expect(plainText(text)).toBe(typed);
  });
});
