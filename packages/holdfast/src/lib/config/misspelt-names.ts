import { distance } from 'fastest-levenshtein';
import { isEarlierName } from './earlier-names.ts';
import { isServiceLink } from './service-links.ts';
import { settingsSchema } from './settings.ts';
import type { ConfigWarning } from './warnings.ts';

/** How many letters may differ. */
const maxDistance = 2;

/** A warning for each name that is nearly a setting's, and so does nothing. */
export function misspeltNames(given: Readonly<Record<string, string>>): ConfigWarning[] {
  const names = Object.keys(settingsSchema.shape);
  const known = new Set(names);
  return Object.entries(given).flatMap(([setting, value]) => {
    if (known.has(setting) || isEarlierName(setting) || isServiceLink(setting, value)) return [];
    const meant = nearest(setting.toUpperCase(), names);
    if (meant === undefined) return [];
    return [
      { setting, message: `${setting} is no setting and does nothing: did you mean ${meant}?` },
    ];
  });
}

function nearest(name: string, names: readonly string[]): string | undefined {
  let least = maxDistance + 1;
  let best: string | undefined;
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) > maxDistance) continue;
    const apart = distance(name, candidate);
    if (apart >= least) continue;
    least = apart;
    best = candidate;
  }
  return best;
}
