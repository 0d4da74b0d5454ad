/** Which ways into the hosts are open on purpose: port 80 and SSH. */
import type { Finding } from '../finding.ts';
import { flag, type Fields } from '../records.ts';
import { namesOf, type PoolView } from './view.ts';

export const accessFindings = (view: PoolView): Finding[] => [
  ...sharedFact(view, { fact: 'https-only', field: 'https_only' }),
  ...sharedFact(view, { fact: 'ssh-enabled', field: 'ssh_enabled' }),
];

interface HostFact {
  readonly fact: string;
  readonly field: string;
}

/** A fact of the site where all hosts say the same; otherwise it is not known for all of them, and said. */
function sharedFact(view: PoolView, { fact, field }: HostFact): Finding[] {
  const values = view.byValue((fields) => flagText(fields, field));
  const [only, other] = [...values];
  if (!only) {
    const hint = `not known: this pool's hosts have no field ${field}`;
    return [{ kind: 'absent', about: { fact }, hint }];
  }
  if (other) {
    const told = [...values].map(([value, names]) => `${value} on ${namesOf(names)}`).join(', ');
    return [{ kind: 'absent', about: { fact }, hint: `host.${field} differs: ${told}` }];
  }
  const [value, names] = only;
  return [{ kind: 'fact', fact, value: value === 'true', from: `host.${field} of ${hostsText(names.length)}` }];
}

const flagText = (fields: Fields, field: string): string | undefined => {
  const value = flag(fields, field);
  return value === undefined ? undefined : String(value);
};

const hostsText = (count: number): string => (count === 1 ? 'the only host' : `all ${count} hosts`);
