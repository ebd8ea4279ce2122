import { expect, test } from 'vitest';
import { readProposal } from '../../src/fleet/agent-proposal.ts';
import { readEndLines } from '../../src/fleet/end-lines.ts';
import { fleetToDecide } from './approval-fixtures.ts';

const { actions } = fleetToDecide();
const read = (comment: string) => readProposal(comment, actions);
const proposal = {
  action: 'restart-service',
  params: { unit: 'nginx.service' },
  source: 'restart-service unit=nginx.service',
};

test.each([
  'It failed.\nPROPOSE: restart-service unit=nginx.service',
  'It failed.\nPROPOSE: restart-service unit=nginx.service\nVERDICT: critical',
  'It failed.\nVERDICT: critical\nPROPOSE: restart-service unit=nginx.service\n\n',
  'It failed.\n\n**PROPOSE:** `restart-service unit=nginx.service`\n\n**VERDICT: critical**\n',
  'It failed.\n```\nPROPOSE: restart-service unit=nginx.service\n```',
  '- propose: restart-service unit=nginx.service',
])('the line at the end counts, with whatever a model puts around it', (comment) => {
  expect(read(comment)).toEqual({ proposal });
});

test.each([
  '',
  'Restart nginx.',
  'PROPOSE: restart-service unit=nginx.service\nOr rather not.',
  'PROPOSE: restart-service unit=nginx.service\nVERDICT: ok\nThe log says so.',
  'I would PROPOSE: restart-service unit=nginx.service',
  'PROPOSE:',
  'PROPOSE: none\nVERDICT: ok',
  'PROPOSE: nothing.',
  `PROPOSE: restart-service unit=${'x'.repeat(1_000)}`,
])('what stands elsewhere, or is nothing, proposes nothing', (comment) => {
  expect(read(comment)).toBeUndefined();
});

test.each([
  [
    'PROPOSE: restart-servce unit=nginx.service',
    /no action restart-servce\. The nearest one is restart-service/,
  ],
  ['PROPOSE: rm -rf /', /"rm -rf \/", but this machine has no action rm\.$/],
  ['PROPOSE: restart-service nginx.service', /"nginx.service" is no parameter/],
  ['PROPOSE: restart-service unit=sshd.service', /unit cannot be "sshd.service"/],
  ['PROPOSE: vacuum-journal size=100M; reboot', /proposed "vacuum-journal size=100M; reboot"/],
])('what cannot be asked for is told to people: %s', (comment, problem) => {
  expect(read(comment)).toEqual({ problem: expect.stringMatching(problem) });
});

test('the words before stay, the lines for us go', () => {
  expect(readEndLines('One.\n\nTwo.\n\nPROPOSE: a b=c\nVERDICT: OK\n')).toEqual({
    words: 'One.\n\nTwo.',
    proposal: 'a b=c',
    verdict: 'ok',
  });
  expect(readEndLines('VERDICT: ok\nVERDICT: critical')).toEqual({
    words: 'VERDICT: ok',
    verdict: 'critical',
  });
  expect(readEndLines('Only words.')).toEqual({ words: 'Only words.' });
});
