import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { LedgerExporter } from '../../../src/queue/ledger/ledger-exporter.ts';
import { MemoryLedger } from './memory-ledger.ts';

/** Exports so many entries, always the same ones, and ends. Arguments: file, file of the private key, entries. */
const [, , file = '', keyFile = '', entries = ''] = process.argv;
const source = new MemoryLedger();
source.add(Number(entries));
const exporter = new LedgerExporter({
  ...{ source, file, privateKey: readFileSync(keyFile, 'utf8'), exporterName: 'child', clock: Date.now },
  log: pino({ level: 'silent' }),
  settings: { batchEntries: 7, checkpointEntries: 20, maxBytes: 20_000 },
});
await exporter.start();
const { failure } = exporter.status();
if (failure) {
  await exporter.stop();
  process.stderr.write(failure.message);
  process.exit(1);
}
while (exporter.status().seq !== Number(entries)) await sleep(1);
await exporter.stop();
