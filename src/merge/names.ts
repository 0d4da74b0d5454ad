/** What runs are called: the machine's own name, with its address, roles or time where two runs would be called alike. */
import { mainAddress, naturally } from './newest.ts';
import type { Part, PartRun } from './part.ts';

export interface Named extends Part {
  readonly name: string;
}

const qualifiers: readonly ((run: PartRun) => string)[] = [
  ({ addresses }) => mainAddress(addresses),
  ({ roles }) => roles.toSorted().join('+'),
  ({ startedAt }) => startedAt,
  ({ sha256 }) => sha256,
  (run) => JSON.stringify(run),
];

/** In the order of their names. */
export function named(parts: readonly Part[]): Named[] {
  const marks = parts.map(({ run }) => [nameOf(run)]);
  for (const qualifier of qualifiers) {
    const groups = Map.groupBy(parts.keys(), (at) => JSON.stringify(marks[at]));
    for (const members of groups.values()) {
      const values = members.map((at) => clean(qualifier(parts[at]!.run)));
      if (new Set(values).size > 1) members.forEach((at, i) => marks[at]!.push(values[i]!));
    }
  }
  return parts
    .map((part, at): Named => ({ ...part, name: shown(marks[at]!) }))
    .toSorted((a, b) => naturally(a.name, b.name));
}

const nameOf = ({ hostname, addresses }: PartRun): string => clean(hostname) || mainAddress(addresses) || 'unnamed';

function shown([name = '', ...marks]: readonly string[]): string {
  const told = marks.filter((mark) => mark !== '');
  return told.length === 0 ? name : `${name} (${told.join(', ')})`;
}

const clean = (text: string): string => text.replaceAll(/[>()]/g, '-').trim();
