/** Which rows: the words of the command line held against the spec, the nearest known one named. */
import { firstOf } from '../load/faults.ts';
import { missingLink } from '../load/host.ts';
import { didYouMeanOf } from '../load/nearest.ts';
import { UsageError } from '../model/errors.ts';
import type { Plan } from '../model/plan.ts';
import type { Site, Vantage } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { Selection } from '../plan/plan.ts';

/** Which rows, in the words of whoever asks; what is absent or empty means all. */
export interface Choice {
  readonly as?: readonly string[] | undefined;
  readonly rows?: readonly string[] | undefined;
  readonly sections?: readonly string[] | undefined;
  readonly roles?: readonly string[] | undefined;
}

/** Throws a UsageError that names the nearest word for one that the spec does not have. */
export function selectionOf(choice: Choice, spec: LoadedSpec, site: Pick<Site, 'vantage'>): Selection {
  const destinations = [...new Set(spec.rows.map(({ to }) => to))];
  const ids = spec.rows.map(({ id }) => id);
  const here = site.vantage.length > 0 ? site.vantage : [spec.vantage ?? sourceRoles(spec)[0]!];
  return {
    as: known(choice.as, ['as', 'source role'], sourceRoles(spec)) ?? here,
    rows: known(choice.rows, ['row', 'row'], ids) ?? [],
    sections: known(choice.sections, ['section', 'section'], Object.keys(spec.sections)) ?? [],
    roles: known(choice.roles, ['role', 'destination role'], destinations) ?? [],
  };
}

export const sourceRoles = (spec: LoadedSpec): string[] => [
  ...new Set(spec.rows.flatMap(({ sourceRoles: from }) => from)),
];

function known(
  given: readonly string[] | undefined,
  [option, kind]: readonly [string, string],
  choices: readonly string[],
): readonly string[] | undefined {
  for (const word of given ?? []) {
    if (choices.includes(word)) continue;
    throw new UsageError(`--${option} ${word}: no such ${kind}${didYouMeanOf(word, choices)}`);
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
