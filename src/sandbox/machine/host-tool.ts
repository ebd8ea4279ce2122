import { type BrokerOptions, runCommand } from './broker.ts';
import { type HostReply, hostCallSchema } from './host-call.ts';

/** Everything that the agent may run on the host: only reads, and only with exactly these arguments. */
const listedCommands: ReadonlySet<string> = new Set([
  'df -PkT',
  'df -PiT',
  'du -xk --max-depth=1 /var',
  'ps -eo pid,user,rss,comm --sort=-rss',
  'ps -eo pid,user,pcpu,comm --sort=-pcpu',
  'cat /proc/loadavg',
  'cat /proc/meminfo',
  'cat /proc/uptime',
  'nproc',
  'uptime',
  'uname -srm',
  'systemctl --failed --plain --no-legend',
  'journalctl --no-pager --reverse --lines=50 --priority=err --since=-60min',
  'journalctl --no-pager --reverse --lines=50 --priority=err --dmesg --boot',
  'ip -j route show default',
  'ss -Hltn',
  'timedatectl show --no-pager',
]);

/** Answers one message of the agent; undefined for a message that is not a call. */
export async function answerHostCall(
  message: unknown,
  options: BrokerOptions,
): Promise<HostReply | undefined> {
  const { data: call } = hostCallSchema.safeParse(message);
  if (call === undefined) return undefined;
  const listed = call.argv.every((word) => !word.includes(' ')) && listedCommands.has(call.argv.join(' '));
  return { id: call.id, output: listed ? await runCommand(call.argv, options) : null };
}
