/** This machine's own files as a source of findings, without asking anybody. */
import { productIn } from '../../load/inventory.ts';
import type { Finding, Source } from '../finding.ts';
import { poolCertificates } from './certificates.ts';
import { domains } from './domain.ts';
import { systemFiles } from './files.ts';
import { syslogServers } from './logs.ts';
import { nameServers } from './names.ts';
import { proxies } from './proxies.ts';
import { storage } from './storage.ts';
import { timeServers } from './time.ts';

/** `environment`: that of this process; absent where the files are another machine's. */
export function systemSource(root: string, environment?: Readonly<Record<string, string | undefined>>): Source {
  const files = systemFiles(root);
  const findings: Finding[] = [
    ...host(files.text('etc/xensource-inventory')),
    ...nameServers(files),
    ...timeServers(files),
    ...syslogServers(files),
    ...domains(files),
    ...storage(files),
    ...proxies(files, environment ?? {}),
    ...poolCertificates(files),
  ];
  const name = root === '/' ? 'the files of this machine' : `the files below ${root}`;
  return { name, findings, told: [...new Set(files.trouble)], trouble: null };
}

/** A XenServer host has this file; nobody else does. */
function host(inventory: string): Finding[] {
  if (!/^INSTALLATION_UUID=/m.test(inventory)) return [];
  const product = productIn(inventory);
  return [
    { kind: 'vantage', role: 'xenserver-host', from: '/etc/xensource-inventory: this is a host' },
    ...(product ? [{ kind: 'product', ...product } as const] : []),
  ];
}
