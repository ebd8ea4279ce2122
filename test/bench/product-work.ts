import { createQueue } from '../../src/queue/create-queue.ts';
import { createLogger } from '../../src/runtime/create-logger.ts';
import { defaultSupervisorSettings } from '../../src/supervisors/context.ts';
import { createSupervisor } from '../../src/supervisors/create-supervisor.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { redact } from '../../src/telemetry/redact.ts';
import { dfOutputs } from '../support/df-outputs.ts';
import { FakeMachine } from '../support/fake-machine.ts';
import { nobodyAsked } from '../support/no-signals.ts';
import { benchFleet } from './bench-fleet.ts';
import type { WorkOrder } from './messages.ts';
import type { Work } from './work.ts';

/** Drives whole runs, put together as `main.ts` does it; only the machines are instant ones in memory. */
export async function beginProductWork(order: WorkOrder, onDone: () => void): Promise<Work> {
  const log = createLogger({ level: 'warn', redact });
  const fleet = benchFleet(order.machines);
  const firstFull = order.machines - order.anomalies;
  const gates = new Map(
    [...fleet.machines.keys()].map((name, index) => [
      name,
      instantMachine(index < firstFull ? undefined : fullPercent + index - firstFull),
    ]),
  );
  const telemetry = await createTelemetry({
    mlflow: { trackingUri: order.collectorUrl, publicUrl: order.collectorUrl, experimentId: '1' },
    log,
  });
  const queue = await createQueue({ redisUrl: order.redisUrl, log, settings: { prefix: order.prefix } });
  const drive = createSupervisor({
    fleet: () => fleet,
    runs: queue.runs,
    restraints: queue.restraints,
    machines: { gate: ({ name }) => gates.get(name) ?? instantMachine() },
    signer: queue.signer,
    peers: nobodyAsked,
    tracer: telemetry.tracer,
    redact,
    clock: Date.now,
    log,
    settings: defaultSupervisorSettings,
  });
  const waitsMs: number[] = [];
  await queue.work(
    async (claim, signal) => {
      waitsMs.push(Date.now() - claim.run.request.acceptedAt);
      await drive(claim, signal);
      onDone();
    },
    { concurrency: order.concurrency },
  );
  return {
    async end() {
      await queue.close();
      await telemetry.flush();
      const counts = telemetry.counts();
      await telemetry.shutdown();
      return { ...counts, waitsMs };
    },
  };
}

/** How full /var is on the first machine where it is too full; one more percent on each that follows. */
const fullPercent = 95;

/** Finds nothing, unless /var is that full; its agent makes one tool call. */
function instantMachine(varPercent?: number): FakeMachine {
  return new FakeMachine({
    outputs: () => dfOutputs(undefined, varPercent),
    answer: async (task) => {
      const at = Date.now();
      const times = { startedAt: at, endedAt: at };
      const call = {
        id: '1',
        tool: 'exec',
        input: 'du -x /var',
        output: '4G\t/var',
        failed: false,
        ...times,
      };
      task.onToolCall?.(call);
      return {
        text: 'Nothing stands out: / is 20 % full.\nVERDICT: ok',
        toolCalls: [call],
        usage: { inputTokens: 1_200, outputTokens: 80 },
        model: 'bench/instant',
      };
    },
  });
}
