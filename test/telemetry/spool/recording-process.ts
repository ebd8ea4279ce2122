import { trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { createTelemetry } from '../../../src/telemetry/create-telemetry.ts';
import { diskOf } from './disk-of.ts';

/**
 * Records spans until it is killed: one for each number, under one step that never ends. Arguments: address of MLflow,
 * folder, first number. Prints each number after the turn in which its span ended.
 */
const [, , url = '', folder = '', first = ''] = process.argv;
const timings = { batchDelayMs: 5, retryMinMs: 5, retryMaxMs: 20 };
await createTelemetry({
  mlflow: { trackingUri: url, publicUrl: url, experimentId: '7' },
  ...{ disk: diskOf(folder), log: pino({ level: 'silent' }), timings },
});
const tracer = trace.getTracer('test');
tracer.startSpan(`step ${first}`);
let number = Number(first);
const next = () => {
  tracer.startSpan(`span ${number}`).end();
  setImmediate(() => {
    process.stdout.write(`${number}\n`);
    number += 1;
    setTimeout(next, 1);
  });
};
next();
