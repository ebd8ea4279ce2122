import { suggest } from './suggest.ts';

/** What to write where a time of crontab(5) cannot be read. */
export const cronCure =
  'Write for example "0 3 * * *" (every night at 3:00), "*/30 8-18 * * MON-FRI" (every half hour of a working day) or "0 4 1 * *" (the first of each month)';

/** What to write in place of a time zone that there is not: the one that was probably meant, by its city or its name. */
export function timeZoneCure(typed: string): string {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  const cityOf = (zone: string): string => zone.slice(zone.lastIndexOf('/') + 1);
  const city = suggest(cityOf(typed).replaceAll(' ', '_'), zones.map(cityOf));
  const meant = zones.find((zone) => cityOf(zone) === city);
  return meant === undefined
    ? 'Write the name of one, such as Europe/Berlin or UTC'
    : `Did you mean "${meant}"?`;
}
