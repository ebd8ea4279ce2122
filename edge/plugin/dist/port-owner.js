import { open } from 'node:fs/promises';

/** A socket that listens, by the kernel's table (proc_net_tcp of its documentation). */
const listening = '0A';
/** What the kernel shows, in a container, of users who are not the container's (/proc/sys/kernel/overflowuid). */
const strangersUid = '65534';

/**
 * Whether a process of another user than those of our own rootless containers takes connections on a port. Anybody on
 * the machine may listen there while the collector does not; who then gets the token could speak for this machine.
 */
export async function strangerListens(port        , folder = '/proc/net')                   {
  const found = await Promise.all([`${folder}/tcp`, `${folder}/tcp6`].map((table) => owners(table, port)));
  return found.flat().includes(strangersUid);
}

async function owners(table        , port        )                    {
  const found           = [];
  // No IPv6 on this machine, or no such table.
  const file = await open(table).catch(() => undefined);
  if (file === undefined) return found;
  try {
    let header = true;
    for await (const line of file.readLines()) {
      const [, address, , state, , , , uid = ''] = line.trim().split(/\s+/);
      // The kernel prints every listening socket first. A busy machine has many thousands of others.
      if (!header && state !== listening) break;
      header = false;
      if (Number.parseInt(address?.split(':')[1] ?? '', 16) === port) found.push(uid);
    }
  } finally {
    await file.close();
  }
  return found;
}
