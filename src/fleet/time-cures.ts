import { isNear, suggest } from './suggest.ts';

/** What to write where a time of crontab(5) cannot be read. */
export const cronCure =
  'Write for example "0 3 * * *" (every night at 3:00), "*/30 8-18 * * MON-FRI" (every half hour of a working day) or "0 4 1 * *" (the first of each month)';

/** What to write in place of a time zone that there is not: the one that was probably meant, by its city or its name. */
export function timeZoneCure(typed: string): string {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  const cityOf = (zone: string): string => zone.slice(zone.lastIndexOf('/') + 1);
  const written = cityOf(typed).replaceAll(' ', '_').toLowerCase();
  const city = suggest(written, zones.map(cityOf)) ?? '';
  // Of some hundred cities one is always within a few letters.
  const isMeant = city.toLowerCase().startsWith(written) || isNear(written, city.toLowerCase());
  const meant = isMeant ? zones.find((zone) => cityOf(zone) === city) : undefined;
  return meant === undefined
    ? 'Write the name of one, such as Europe/Berlin or UTC'
    : `Did you mean "${meant}"?`;
}
