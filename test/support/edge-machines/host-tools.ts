import { installPackage, onPath } from '../../e2e/parts/system-package.ts';

/** Program → the distribution's package that has it. */
const tools = {
  mmdebstrap: 'mmdebstrap',
  'systemd-nspawn': 'systemd-container',
  mke2fs: 'e2fsprogs',
  ip: 'iproute2',
  ssh: 'openssh-client',
} as const;

/**
 * Sees to what edge machines need of this computer; installs what is missing through the distribution.
 * @throws Error that says what to do: a suite never skips silently
 */
export function requireHostTools(): void {
  if (process.getuid?.() !== 0)
    throw new Error(
      'Edge machines are systemd containers with disks and networks of their own. Run as root.',
    );
  for (const [program, name] of Object.entries(tools)) if (!onPath(program)) installPackage(name);
}
