import { type Incident, type Target, targetWord } from './incident.ts';

/** What there is to look at: the machines and checks of the alerts that fire, or of all of them where none does. */
export function targetsOf({ alerts, investigations }: Incident): readonly Target[] {
  const firing = alerts.filter(({ status }) => status === 'firing');
  const found = [...(firing.length > 0 ? firing : alerts)].flatMap(({ machine, check, problem }) =>
    machine === undefined || check === undefined || problem !== undefined ? [] : [{ machine, check }],
  );
  // Of alerts that are kept no more only this is known.
  const all = found.length > 0 ? found : investigations.map(({ machine, check }) => ({ machine, check }));
  return [...new Map(all.map((target) => [targetWord(target), target])).values()];
}
