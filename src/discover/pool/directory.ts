/** The Active Directory domain that the hosts have joined, and how they speak to its controllers. */
import type { Finding } from '../finding.ts';
import { nameFault } from '../../load/host.ts';
import { flag, map, text, type Fields } from '../records.ts';
import { noHost } from './services.ts';
import { namesOf, type PoolView } from './view.ts';

const role = 'domain-controller';

export function directoryFindings(view: PoolView): Finding[] {
  const joined = view.members.filter(({ fields }) => text(fields, 'external_auth_type') === 'AD');
  if (joined.length === 0) return [outside(view)];
  const names = view.byValue((fields) => (text(fields, 'external_auth_type') === 'AD' ? domainOf(fields) : undefined));
  const domains = [...names].map(([domain, members]): Finding => {
    const from = `host.external_auth_service_name of ${namesOf(members)}`;
    return nameFault(domain) === null ? { kind: 'domain', domain, from } : noHost(from, domain);
  });
  const outsiders = view.members.length - joined.length;
  const mixed = `pool: ${joined.length} of ${view.members.length} hosts have joined a domain`;
  return [...domains, ...(outsiders > 0 ? [{ kind: 'remark', text: mixed } as const] : []), ldaps(view)];
}

function outside(view: PoolView): Finding {
  const isKnown =
    view.members.length > 0 && view.members.every(({ fields }) => text(fields, 'external_auth_type') === '');
  if (isKnown) return { kind: 'not-used', role, from: 'host.external_auth_type is empty: no host has joined a domain' };
  return { kind: 'absent', about: { role }, hint: 'no host tells of a domain (host.external_auth_type)' };
}

const domainOf = (fields: Fields): string | undefined =>
  (
    text(fields, 'external_auth_service_name') || text(map(fields, 'external_auth_configuration'), 'domain')
  )?.toLowerCase();

function ldaps(view: PoolView): Finding {
  const values = view.byValue((fields) => {
    const value = flag(map(fields, 'external_auth_configuration'), 'ldaps');
    return value === undefined ? undefined : String(value);
  });
  const [only, other] = [...values];
  const about = { fact: 'ad-ldaps' };
  if (!only) {
    const hint =
      'not known: host.external_auth_configuration has no entry ldaps (older hosts speak LDAP on 389, sealed)';
    return { kind: 'absent', about, hint };
  }
  if (other) return { kind: 'absent', about, hint: 'host.external_auth_configuration ldaps differs between hosts' };
  const [value, names] = only;
  return {
    kind: 'fact',
    fact: 'ad-ldaps',
    value: value === 'true',
    from: `host.external_auth_configuration ldaps of ${namesOf(names)}`,
  };
}
