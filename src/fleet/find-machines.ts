import { isIP } from 'node:net';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';

/** Finds machines by the ways in which monitorings write them. */
export interface MachineFinder {
  /** Those in the value of a label: names, addresses, `host:port`, URLs, full host names, or several of them. */
  inValue(value: string): readonly Machine[];
  /** Those that stand in a text as a word of their own: by name, full host name or address. */
  inText(text: string): readonly Machine[];
}

/** What parts the hosts in a value such as `web-01, web-02` or `web-01 [10.0.0.1]`. */
const betweenHosts = /[\s,;|()"'<>]+/;
const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i;
/** `[2001:db8::1]` and `[2001:db8::1]:9100`; Zabbix writes `[10.0.0.1]`. */
const inBrackets = /^\[([^\]]*)\](?::\d+)?$/;
const portOrPath = /(?::\d+)?(?:\/.*)?$/;

/** Not behind a slash: the last word of `/srv/db` is no machine. Not before `…`: there a longer name was cut. */
const words = /(?<![/\p{L}\p{N}._-])[\p{L}\p{N}_](?:[\p{L}\p{N}._-]*[\p{L}\p{N}_])?(?!\.?[\p{L}\p{N}_…-])/gu;
/** Of a web address only the host may name a machine. */
const webAddress = /\b[a-z][a-z0-9+.-]*:\/\/([^\s/:>|?#]+)[^\s>|]*/gi;

/** Upper and lower case are alike everywhere. An address that several machines have names none of them. */
export function machineFinder(fleet: Fleet): MachineFinder {
  const byName = fleet.machines;
  const byAddress = Map.groupBy(byName.values(), ({ address }) => address.toLowerCase());
  const find = (written: string): Machine | undefined => {
    const host = written.toLowerCase();
    const [atAddress, another] = byAddress.get(host) ?? [];
    const exact = byName.get(host) ?? (another === undefined ? atAddress : undefined);
    if (exact !== undefined) return exact;
    // A name may itself have dots: the longest beginning of a full host name counts.
    for (let dot = host.lastIndexOf('.'); dot > 0; dot = host.lastIndexOf('.', dot - 1)) {
      const machine = byName.get(host.slice(0, dot));
      if (machine !== undefined) return machine;
    }
    return undefined;
  };
  const findAll = (hosts: readonly string[]): readonly Machine[] => [
    ...new Set(hosts.flatMap((host) => find(host) ?? [])),
  ];
  return {
    inValue: (value) => findAll(value.split(betweenHosts).map(hostOf)),
    inText: (text) => findAll(text.replace(webAddress, ' $1 ').match(words) ?? []),
  };
}

function hostOf(written: string): string {
  const host = written.replace(withScheme, '').replace(/^[^@/]*@/, '');
  const [, bracketed] = inBrackets.exec(host) ?? [];
  if (bracketed !== undefined) return bracketed;
  return isIP(host) === 0 ? host.replace(portOrPath, '') : host;
}
