import { readFileSync } from 'node:fs';
import type { ClientContext, RedisOptions, Result } from 'ioredis';

/** KEYS[1] is the prefix; the rest is ARGV. The answer is parsed where it is used. */
type Script<Context extends ClientContext> = (
  prefix: string,
  ...args: (string | number)[]
) => Result<unknown, Context>;

declare module 'ioredis' {
  interface RedisCommander<Context extends ClientContext> {
    acceptRuns: Script<Context>;
    saveCampaign: Script<Context>;
    claimRun: Script<Context>;
    raiseFence: Script<Context>;
    saveRun: Script<Context>;
    settleRun: Script<Context>;
    saveHandOver: Script<Context>;
    cancelRun: Script<Context>;
    claimPeers: Script<Context>;
    setQuarantine: Script<Context>;
    takeFence: Script<Context>;
    lease: Script<Context>;
    saveHalt: Script<Context>;
    recordHalt: Script<Context>;
    closeHalt: Script<Context>;
    beginSilence: Script<Context>;
    endSilence: Script<Context>;
    holdBackForSilence: Script<Context>;
    saveSchedule: Script<Context>;
    saveScheduleState: Script<Context>;
    saveIncident: Script<Context>;
    claimLooks: Script<Context>;
    noteLooks: Script<Context>;
    saveNotice: Script<Context>;
    appendToLedger: Script<Context>;
    trimLedger: Script<Context>;
    passLedger: Script<Context>;
    readGauges: Script<Context>;
    takeViews: Script<Context>;
    releaseView: Script<Context>;
    postponeView: Script<Context>;
    takeBudget: Script<Context>;
  }
}

/** The files of a script, one after the other in one chunk. */
function script(...names: readonly string[]): { lua: string; numberOfKeys: number } {
  const text = (name: string) => readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
  return { lua: names.map(text).join('\n'), numberOfKeys: 1 };
}

/** For the `scripts` option of a connection. */
export function loadScripts(): NonNullable<RedisOptions['scripts']> {
  return {
    acceptRuns: script('show', 'ledger', 'seen', 'now', 'bucket', 'keep-open', 'accept'),
    saveCampaign: script('ledger', 'keep-open', 'campaign-save'),
    claimRun: script('claim'),
    raiseFence: script('raise-fence'),
    saveRun: script('show', 'now', 'finish', 'ledger', 'awaiting', 'spend', 'save'),
    settleRun: script('show', 'now', 'finish', 'ledger', 'awaiting', 'hand-over', 'settle'),
    saveHandOver: script('ledger', 'hand-over', 'hand-over-save'),
    cancelRun: script('show', 'now', 'finish', 'ledger', 'cancel'),
    claimPeers: script('claim-peers'),
    setQuarantine: script('ledger', 'quarantine'),
    takeFence: script('take-fence'),
    lease: script('lease'),
    saveHalt: script('seen', 'ledger', 'halts-changed', 'halt-save'),
    recordHalt: script('show', 'halt-record'),
    closeHalt: script('halts-changed', 'halt-close'),
    beginSilence: script('seen', 'ledger', 'silence-begin'),
    endSilence: script('ledger', 'look-again', 'silence-end'),
    holdBackForSilence: script('seen', 'silence-hold-back'),
    saveSchedule: script('seen', 'ledger', 'schedule-save'),
    saveScheduleState: script('schedule-state-save'),
    saveIncident: script('ledger', 'now', 'bucket', 'incident-save'),
    claimLooks: script('now', 'bucket', 'incident-claim'),
    noteLooks: script('incident-looked'),
    saveNotice: script('ledger', 'notice'),
    appendToLedger: script('ledger', 'ledger-append'),
    trimLedger: script('ledger-trim'),
    passLedger: script('ledger-pass'),
    readGauges: script('gauges'),
    takeViews: script('view-take'),
    releaseView: script('view-release'),
    postponeView: script('view-postpone'),
    takeBudget: script('now', 'bucket', 'budget'),
  };
}
