import type { Alert } from '../../fleet/alert.ts';

/** What one alert of a message says in its own lines. */
export interface ListedAlert {
  /** Told by the heading above it, where there is one. */
  readonly status?: Alert['status'];
  /** By name in lower case with `_` for blanks; the first of a name counts. */
  readonly labels: ReadonlyMap<string, string>;
  readonly lines: readonly string[];
}

/** `**Firing**`, `Alerts Firing:`, `[2] Resolved`: what follows is in that state. */
const heading = /^\W*(?:\d+\W+)?(?:alerts?\s+)?(firing|resolved)(?:\s+alerts?)?\W*(?:\d+\W*)?$/i;
/** ` - instance = web-01:9100`, `Host: web-01`; a name has few words. */
const labelLine = /^\W*([A-Za-z][\w./-]*(?: [\w./-]+){0,3})\s*(?:=|:(?=\s))\s*(\S.*)$/;
/** `{host:web-01,env:prod}`, as Datadog writes what a monitor is grouped by. */
const tags = /\{([^{}]*)\}/g;

/**
 * The alerts that lines list: one, unless a heading parts them or a name that tells alerts apart comes again (Grafana's
 * and Alertmanager's usual templates repeat `alertname`, others the host).
 * @param telling names of labels that tell alerts apart
 */
export function listedAlerts(lines: readonly string[], telling: readonly string[]): readonly ListedAlert[] {
  const apart = new Set(['alertname', ...telling.map(labelName)]);
  const found: { status?: Alert['status']; labels: Map<string, string>; lines: string[] }[] = [];
  let current = { labels: new Map<string, string>(), lines: [] as string[] };
  const begin = (status?: Alert['status']): void => {
    current = { labels: new Map(), lines: [], ...(status && { status }) };
    found.push(current);
  };
  begin();
  let status: Alert['status'] | undefined;
  for (const line of lines) {
    const [, state] = heading.exec(line) ?? [];
    if (state !== undefined) {
      status = state.toLowerCase() === 'firing' ? 'firing' : 'resolved';
      begin(status);
      continue;
    }
    const labels = labelsIn(line);
    if (labels.some(([name]) => apart.has(name) && current.labels.has(name))) begin(status);
    current.lines.push(line);
    for (const [name, value] of labels) if (!current.labels.has(name)) current.labels.set(name, value);
  }
  const told = found.filter(({ labels }) => [...apart].some((name) => labels.has(name)));
  return told.length > 0 ? told : [merged(found)];
}

function labelsIn(line: string): readonly (readonly [string, string])[] {
  const tagged = [...line.matchAll(tags)].flatMap(([, list = '']) =>
    list.split(',').flatMap((tag) => {
      const [, name, value] = /^([\w./-]+):(.+)$/.exec(tag.trim()) ?? [];
      return name === undefined || value === undefined ? [] : [[labelName(name), value.trim()] as const];
    }),
  );
  const [, name, value] = labelLine.exec(line) ?? [];
  return name === undefined || value === undefined ? tagged : [[labelName(name), value.trim()], ...tagged];
}

function labelName(written: string): string {
  return written.toLowerCase().replace(/\s+/g, '_');
}

/** Lines that no label parts are one alert. */
function merged(alerts: readonly ListedAlert[]): ListedAlert {
  const status = alerts.find((alert) => alert.status !== undefined)?.status;
  return {
    ...(status && { status }),
    labels: new Map(alerts.flatMap(({ labels }) => [...labels])),
    lines: alerts.flatMap(({ lines }) => lines),
  };
}
