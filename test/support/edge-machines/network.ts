import { runProgram } from './run-program.ts';

/** A machine's network: a link to this computer and nothing beyond it. */
export interface MachineNetwork {
  /** Network namespace, also a file in /run/netns. */
  readonly namespace: string;
  /** The machine. */
  readonly address: string;
  /** This computer, as the machine sees it. */
  readonly hostAddress: string;
  /** This computer under another address. */
  readonly strangerAddress: string;
  /** Nothing gets through any more, and nobody is told. */
  cut(): Promise<void>;
  restore(): Promise<void>;
}

/** The network of a machine's index, which need not exist. */
export function networkOf(index: number): MachineNetwork {
  const namespace = `fb-${index}`;
  const setLink = async (state: 'up' | 'down') => {
    await runProgram(['ip', 'link', 'set', linkName(index), state]);
  };
  return {
    namespace,
    address: `10.99.${index}.2`,
    hostAddress: `10.99.${index}.1`,
    strangerAddress: `10.99.${index}.9`,
    cut: () => setLink('down'),
    restore: () => setLink('up'),
  };
}

/** Makes it. */
export async function createNetwork(index: number): Promise<MachineNetwork> {
  const network = networkOf(index);
  const { namespace, address, hostAddress, strangerAddress } = network;
  const link = linkName(index);
  const commands = [
    `netns add ${namespace}`,
    `link add ${link} type veth peer name host0 netns ${namespace}`,
    `addr add ${hostAddress}/24 dev ${link}`,
    `addr add ${strangerAddress}/24 dev ${link}`,
    `link set ${link} up`,
    `-n ${namespace} addr add ${address}/24 dev host0`,
    `-n ${namespace} link set host0 up`,
    `-n ${namespace} link set lo up`,
    `-n ${namespace} route add default via ${hostAddress}`,
  ];
  for (const command of commands) await runProgram(['ip', ...command.split(' ')]);
  return network;
}

/** Program and arguments that run a program of this computer in the machine's network. */
export function inNetwork(index: number, argv: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', networkOf(index).namespace, ...argv];
}

const linkName = (index: number) => `fb-${index}`;
