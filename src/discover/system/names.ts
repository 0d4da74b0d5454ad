/** DNS servers: resolv.conf, and behind a stub of systemd the servers that it asks. */
import { isAddress, isLoopback } from '../../model/address.ts';
import type { Finding } from '../finding.ts';
import { hostIn } from '../records.ts';
import { linesOf, type SystemFiles } from './files.ts';

const [usual, behindStub] = ['etc/resolv.conf', 'run/systemd/resolve/resolv.conf'];

export function nameServers(files: SystemFiles): Finding[] {
  const own = serversIn(files, usual);
  const real = own.filter((server) => !isLoopback(server));
  const [servers, file] = real.length > 0 ? [real, usual] : [serversIn(files, behindStub), behindStub];
  if (servers.length > 0) {
    return servers.map((host) => ({ kind: 'host', role: 'dns-server', host, from: `nameserver of /${file}` }));
  }
  const hint = own.length > 0 ? '/etc/resolv.conf names this machine alone' : '/etc/resolv.conf names none';
  return [{ kind: 'absent', about: { role: 'dns-server' }, hint }];
}

function serversIn(files: SystemFiles, file: string): string[] {
  return linesOf(files.text(file)).flatMap((line) => {
    const [word, server] = line.split(/\s+/);
    return word === 'nameserver' && isAddress(server ?? '') ? (hostIn(server) ?? []) : [];
  });
}

/** What could be the name of a domain that this machine is in. */
export function searchDomains(files: SystemFiles): readonly string[] {
  const words = linesOf(files.text(usual)).map((line) => line.split(/\s+/));
  const found = words.flatMap(([word, ...rest]) => (word === 'search' || word === 'domain' ? rest : []));
  return [...new Set(found.map((name) => name.toLowerCase().replace(/\.$/, '')))].filter((name) => name.includes('.'));
}
