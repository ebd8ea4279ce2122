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
    claimRun: Script<Context>;
    raiseFence: Script<Context>;
    saveRun: Script<Context>;
    settleRun: Script<Context>;
    cancelRun: Script<Context>;
    setQuarantine: Script<Context>;
    takeFence: Script<Context>;
    lease: Script<Context>;
    saveHalt: Script<Context>;
    recordHalt: Script<Context>;
    closeHalt: Script<Context>;
    saveNotice: Script<Context>;
    appendToLedger: Script<Context>;
    trimLedger: Script<Context>;
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
    acceptRuns: script('show', 'ledger', 'seen', 'bucket', 'accept'),
    claimRun: script('claim'),
    raiseFence: script('raise-fence'),
    saveRun: script('show', 'finish', 'ledger', 'awaiting', 'save'),
    settleRun: script('show', 'finish', 'ledger', 'awaiting', 'settle'),
    cancelRun: script('show', 'finish', 'ledger', 'cancel'),
    setQuarantine: script('ledger', 'quarantine'),
    takeFence: script('take-fence'),
    lease: script('lease'),
    saveHalt: script('seen', 'ledger', 'halts-changed', 'halt-save'),
    recordHalt: script('show', 'halt-record'),
    closeHalt: script('halts-changed', 'halt-close'),
    saveNotice: script('ledger', 'notice'),
    appendToLedger: script('ledger', 'ledger-append'),
    trimLedger: script('ledger-trim'),
    readGauges: script('gauges'),
    takeViews: script('view-take'),
    releaseView: script('view-release'),
    postponeView: script('view-postpone'),
    takeBudget: script('bucket', 'budget'),
  };
}
