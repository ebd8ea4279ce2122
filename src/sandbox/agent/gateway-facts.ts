/** What the gateway says of itself; the wire format is that of OpenClaw 2026.9.6, protocol 4. */
export const version = 'sandbox-1';
export const protocol = 4;
/** The only agent here; the default of the fleet file. */
export const agentId = 'edge';
export const provider = 'sandbox';

/** How long a task may take when the request does not say, as OpenClaw's `agents.defaults.timeoutSeconds`. */
export const defaultTaskTimeoutMs = 120_000;
/** How long a client may wait with its `connect`. */
export const handshakeTimeoutMs = 15_000;
export const tickIntervalMs = 30_000;
export const pingIntervalMs = 25_000;
export const maxPayloadBytes = 26_214_400;
