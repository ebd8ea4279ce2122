import { z } from 'zod';

/** iproute2's counters of one direction; `dropped` is left out: much of it is traffic that nobody here wants. */
const countersSchema = z.object({ packets: z.number(), errors: z.number() });

const linksSchema = z.array(
  z.object({
    ifname: z.string(),
    flags: z.array(z.string()),
    operstate: z.string(),
    stats64: z.object({ rx: countersSchema, tx: countersSchema }),
  }),
);

const routesSchema = z.array(
  z.object({
    dst: z.string(),
    /** Only where it is not `unicast`: `unreachable`, `blackhole` and the like lead nowhere. */
    type: z.string().default('unicast'),
    flags: z.array(z.string()).default([]),
  }),
);

export type Link = z.infer<typeof linksSchema>[number];
export type Route = z.infer<typeof routesSchema>[number];

/** Reads `ip -s -j link show`; undefined when it is something else. */
export function parseLinks(text: string): readonly Link[] | undefined {
  return linksSchema.safeParse(parsed(text)).data;
}

/** Reads `ip -j route show`; undefined when it is something else. */
export function parseRoutes(text: string): readonly Route[] | undefined {
  return routesSchema.safeParse(parsed(text)).data;
}

/** Tunnels and the like have no state of their own (`UNKNOWN`): their flags tell. */
export function isUp({ operstate, flags }: Link): boolean {
  return (
    operstate === 'UP' || (operstate === 'UNKNOWN' && flags.includes('UP') && !flags.includes('NO-CARRIER'))
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
