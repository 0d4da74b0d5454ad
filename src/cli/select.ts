/** Which rows: the words of the command line held against the spec, the nearest known one named. */
import { firstOf } from '../load/faults.ts';
import { missingLink } from '../load/host.ts';
import { didYouMean } from '../load/nearest.ts';
import { UsageError } from '../model/errors.ts';
import type { Plan } from '../model/plan.ts';
import type { Site, Vantage } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { Selection } from '../plan/plan.ts';
import type { Arguments } from './options.ts';

const usualVantage = 'xenserver-host';

export function selectionFrom(values: Arguments, spec: LoadedSpec, site: Pick<Site, 'vantage'>): Selection {
  const sources = sourceRoles(spec);
  const destinations = [...new Set(spec.rows.map(({ to }) => to))];
  const usual = site.vantage.length > 0 ? site.vantage : [usualVantage];
  return {
    as: known(values.as, 'as', 'source role', sources) ?? usual,
    rows:
      known(
        values.row,
        'row',
        'row',
        spec.rows.map(({ id }) => id),
      ) ?? [],
    sections: known(values.section, 'section', 'section', Object.keys(spec.sections)) ?? [],
    roles: known(values.role, 'role', 'destination role', destinations) ?? [],
  };
}

export const sourceRoles = (spec: LoadedSpec): string[] => [...new Set(spec.rows.map(({ from }) => from))];

function known(
  given: readonly string[] | undefined,
  option: string,
  kind: string,
  choices: readonly string[],
): readonly string[] | undefined {
  for (const word of given ?? []) {
    if (choices.includes(word)) continue;
    throw new UsageError(
      `--${option} ${word}: no such ${kind}${didYouMean(word, choices)}; there are ${choices.join(', ')}`,
    );
  }
  return given && given.length > 0 ? [...new Set(given)] : undefined;
}

/** An address of a link that this machine is not on cannot be asked: that is known before anything is sent. */
export function requireLinks(plan: Plan, vantage: Vantage): void {
  const addresses = new Set(plan.checks.flatMap(({ host, address }) => (address === null ? [] : [host])));
  const missing = [...addresses].flatMap((address) => missingLink(address, vantage) ?? []);
  if (missing.length > 0) throw new UsageError(firstOf(missing).join('\n'));
}

/** A run in which no check applies is an error, not a success. */
export function requireChecks(plan: Plan): void {
  if (plan.checks.length > 0) return;
  const reasons = Map.groupBy(
    plan.rows.flatMap(({ skip, requirement }) =>
      skip && skip.reason !== 'not-selected' ? [{ ...skip, id: requirement.id }] : [],
    ),
    ({ reason }) => reason,
  );
  const told = [...reasons].map(([reason, skips]) => {
    const first = skips[0];
    return `  ${skips.length} × ${reason}: ${first?.id}: ${first?.because}${first?.remedy ? `; ${first.remedy}` : ''}`;
  });
  throw new UsageError(['no check applies here, so nothing would be proven:', ...told].join('\n'));
}
