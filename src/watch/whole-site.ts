/** One picture of a site, of what all its vantages know now; and what is odd about one of them. */
import { createHash } from 'node:crypto';
import { mergeReports } from '../merge/merge.ts';
import type { MergeInput } from '../merge/part.ts';
import { spell } from '../model/duration.ts';
import { UsageError } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import type { Presence, Viewpoint } from './viewpoint.ts';
import type { Watch } from './watch.ts';

/** Of vantages that do not say how often they look. */
const usualAgeMs = 86_400_000;
const slackMs = 60_000;
/** Clocks that differ by less are nobody's trouble. */
const harmlessSkewMs = 60_000;

export const sitesOfSeveral = (watch: Watch): string[] =>
  [...Map.groupBy(watch.viewpoints(), ({ site }) => site)].flatMap(([site, members]) =>
    members.filter(({ report }) => report !== null).length > 1 ? [site] : [],
  );

/** Null where nobody looked at it, or they looked by different tables. */
export function wholeSite(watch: Watch, site: string): Report | null {
  const members = watch.viewpoints().filter((each) => each.site === site && each.report !== null);
  if (members.length === 0) return null;
  const now = watch.clock.wall();
  const maxAgeMs = Math.max(...members.map(({ presence }) => ageOf(presence)));
  try {
    return mergeReports(
      members.map((member) => inputOf(member, now - maxAgeMs)),
      { now, maxAgeMs },
    );
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

const ageOf = (presence: Presence | null): number =>
  presence ? 2 * Math.max(presence.nextMs, presence.everyMs) + slackMs : usualAgeMs;

/** Dated by when it was seen to be so last, in our time: a report counts as long as its vantage says that nothing changed. */
function inputOf({ site, vantage, report, last, isStale }: Viewpoint, oldest: number): MergeInput {
  const at = isStale ? Math.min(last, oldest - 1) : last;
  return {
    file: `${site}, from ${vantage}`,
    sha256: createHash('sha256').update(JSON.stringify(report)).digest('hex'),
    report: { ...report!, startedAt: new Date(at).toISOString() },
  };
}

export function remarkOf({ skewMs, refused }: Presence): string | null {
  const skew =
    Math.abs(skewMs) < harmlessSkewMs
      ? []
      : [`its clock is ${spell(Math.abs(skewMs))} ${skewMs < 0 ? 'behind' : 'ahead of'} the hub's`];
  const remarks = [...skew, ...(refused === null ? [] : [`it refuses the newest revision: ${refused}`])];
  return remarks.length === 0 ? null : remarks.join('; ');
}
