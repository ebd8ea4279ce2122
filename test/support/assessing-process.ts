import pino from 'pino';
import { assessmentsDuty } from '../../src/dispatch/assessments.ts';
import { createQueue } from '../../src/queue/create-queue.ts';
import { createAssessor } from '../../src/telemetry/mlflow/assessor.ts';
import { createMlflowClient } from '../../src/telemetry/mlflow/client.ts';

/** Brings what people said to MLflow, once, in a process of its own, to be killed. Arguments: addresses of Redis and MLflow. */
const [, , redisUrl = '', trackingUri = ''] = process.argv;
const log = pino({ enabled: false });
const queue = await createQueue({ redisUrl, log });
const duty = assessmentsDuty({
  ledger: queue.ledgerTail,
  assessor: createAssessor(createMlflowClient({ trackingUri })),
  meter: { brought: () => {} },
  clock: Date.now,
  log,
});
await duty.run(new AbortController().signal);
await queue.close();
