/** The Active Directory domain that this machine has joined: Samba, sssd, Kerberos. */
import { nameFault } from '../../load/host.ts';
import type { Finding } from '../finding.ts';
import { entriesOf, linesOf, type SystemFiles } from './files.ts';

export function domains(files: SystemFiles): Finding[] {
  const findings = [...samba(files), ...sssd(files), ...kerberos(files)];
  if (findings.some(({ kind }) => kind === 'domain')) return findings;
  const hint = 'neither smb.conf, sssd.conf nor krb5.conf names a domain here';
  return [{ kind: 'absent', about: { role: 'domain-controller' }, hint }];
}

function samba(files: SystemFiles): Finding[] {
  const file = 'etc/samba/smb.conf';
  const entries = entriesOf(files.text(file)).filter(({ section }) => section === 'global');
  const value = (name: string): string | undefined => entries.findLast(({ key }) => key === name)?.value.toLowerCase();
  if (value('security') !== 'ads') return [];
  const wrapping = value('client ldap sasl wrapping');
  const isTls = wrapping === 'ldaps' || wrapping === 'starttls';
  return [
    ...domainFinding(value('realm'), `realm of /${file}`),
    ...(wrapping === undefined ? [] : [ldapsFact(isTls, `client ldap sasl wrapping of /${file}`)]),
  ];
}

function sssd(files: SystemFiles): Finding[] {
  return ['etc/sssd/sssd.conf', ...files.list('etc/sssd/conf.d', '.conf')].flatMap((file) => {
    const entries = entriesOf(files.text(file));
    const directories = new Set(
      entries
        .filter(({ key, value }) => (key === 'id_provider' || key === 'auth_provider') && /^(?:ad|krb5)$/i.test(value))
        .map(({ section }) => section),
    );
    return [...directories].flatMap((section) => {
      const value = (name: string): string | undefined =>
        entries.findLast((each) => each.section === section && each.key === name)?.value;
      const named = value('ad_domain') ?? value('krb5_realm') ?? section.replace(/^domain\//, '');
      const isTls = value('ad_use_ldaps')?.toLowerCase();
      const fact = isTls === undefined ? [] : [ldapsFact(isTls === 'true', `ad_use_ldaps of /${file}`)];
      return domainFinding(named, `/${file}`).concat(fact);
    });
  });
}

/** A file with brackets and braces: the default realm is all that is taken. */
function kerberos(files: SystemFiles): Finding[] {
  return ['etc/krb5.conf', ...files.list('etc/krb5.conf.d', '')].flatMap((file) => {
    const [, realm] = /^default_realm\s*=\s*(\S+)/m.exec(linesOf(files.text(file)).join('\n')) ?? [];
    return domainFinding(realm, `default_realm of /${file}`);
  });
}

/** What Debian and Red Hat write before anybody has changed it. */
const examples = /(?:^|\.)(?:example\.(?:com|org|net)|athena\.mit\.edu)$/;

function domainFinding(name: string | undefined, from: string): Finding[] {
  const domain = name?.toLowerCase().replace(/\.$/, '') ?? '';
  if (!domain.includes('.') || nameFault(domain) !== null || examples.test(domain)) return [];
  return [{ kind: 'domain', domain, from }];
}

const ldapsFact = (value: boolean, from: string): Finding => ({ kind: 'fact', fact: 'ad-ldaps', value, from });
