import type { Logger } from 'pino';
import { Gauge, Registry } from 'prom-client';
import type { RunTracer } from '../run-tracer.ts';
import { SafeTracer } from '../safe-tracer.ts';
import { MeteredTracer } from './metered-tracer.ts';
import type { Metrics } from './metrics.ts';
import { type ProcessSources, registerProcessGauges } from './process-gauges.ts';
import type { QueueGauges } from './queue-gauges.ts';
import { RedisGauges, type RedisGaugesOptions } from './redis-gauges.ts';
import { createRoomMetrics } from './room-metrics.ts';
import { RunMetrics } from './run-metrics.ts';
import { SlackMetrics } from './slack-metrics.ts';

/** Where the numbers of a scrape come from. */
export interface MetricsSources extends ProcessSources {
  /** What is in Redis. */
  readonly gauges: () => Promise<QueueGauges>;
}

/** The numbers of this process, for Prometheus. */
export interface FleetMetrics extends Metrics {
  /** The same tracer; the steps and runs that pass through it are counted. Never throws. */
  tracer(tracer: Pick<RunTracer, keyof RunTracer>): SafeTracer;
  /** The same budget; the calls that it allows are counted. */
  readonly budget: SlackMetrics['metered'];
  /** What a process is and holds joins the metrics. Called once, when its parts are there. */
  page(sources: MetricsSources): () => Promise<MetricsPage>;
}

/** What `/metrics` answers: Prometheus' text format. */
export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

/** @param options.clock milliseconds from any moment on; never goes back */
export function createMetrics(options: { log: Logger; clock: () => number }): FleetMetrics {
  const { log, clock } = options;
  const registry = new Registry();
  const runs = new RunMetrics(registry);
  const slack = new SlackMetrics(registry);
  return {
    ...createRoomMetrics(registry),
    tracer: (tracer) => new SafeTracer(new MeteredTracer(tracer, runs, clock), log),
    budget: (budget) => slack.metered(budget),
    page(sources) {
      registerProcessGauges(registry, sources);
      const ofRedis = redisPart(registry, { read: sources.gauges, log });
      return async () => {
        // First, because it also sets whether Redis is up.
        const shared = await ofRedis();
        return { contentType: registry.contentType, body: `${await registry.metrics()}${shared}` };
      };
    },
  };
}

/** What Redis tells, as text; the process itself tells whether it did. */
function redisPart(registry: Registry, options: RedisGaugesOptions): () => Promise<string> {
  const gauges = new RedisGauges(options);
  const up = new Gauge({
    name: 'fleetbot_redis_up',
    help: '1 where Redis told what it holds at this scrape.',
    registers: [registry],
  });
  return async () => {
    const text = await gauges.text();
    up.set(text === undefined ? 0 : 1);
    return text ?? '';
  };
}
