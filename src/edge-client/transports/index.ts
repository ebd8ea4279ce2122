import type { TransportName } from '../../fleet/machine.ts';
import type { TaskTransport } from '../task-transport.ts';
import { chatCompletions } from './chat-completions.ts';
import { gatewayWs } from './gateway-ws.ts';

/** Every way of giving an agent a task, by its name in the fleet file. */
export const transports: Readonly<Record<TransportName, TaskTransport>> = {
  'gateway-ws': gatewayWs,
  'chat-completions': chatCompletions,
};
