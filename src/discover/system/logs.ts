/** Where rsyslog forwards messages to: the old format (`*.* @@host:514`) and the action of today (`type="omfwd"`). */
import { isLoopback } from '../../model/address.ts';
import type { Finding } from '../finding.ts';
import { hostIn, port } from '../records.ts';
import { syslogTarget } from '../syslog-target.ts';
import { linesOf, type SystemFiles } from './files.ts';

export function syslogServers(files: SystemFiles): Finding[] {
  const all = ['etc/rsyslog.conf', ...files.list('etc/rsyslog.d', '.conf')];
  const findings = all.flatMap((file) => {
    const text = linesOf(files.text(file)).join('\n');
    return legacy(text, file).concat(actions(text, file));
  });
  if (findings.length > 0) return findings;
  return [{ kind: 'absent', about: { role: 'syslog-server' }, hint: 'rsyslog forwards nothing here' }];
}

function legacy(text: string, file: string): Finding[] {
  return text.split('\n').flatMap((line) => {
    const [, target] = /^[^\s@"']+[.;*][^\s@"']*\s+(@\S+)/.exec(line) ?? [];
    const found = target === undefined ? undefined : syslogTarget(target, 0);
    return found ? [finding(found.host, found.port, found.isTcp, file)].flat() : [];
  });
}

function actions(text: string, file: string): Finding[] {
  return [...text.matchAll(/action\s*\(([^)]*)\)/gi)].flatMap(([, parameters = '']) => {
    const value = (name: string): string | undefined =>
      new RegExp(String.raw`\b${name}\s*=\s*"([^"]*)"`, 'i').exec(parameters)?.[1];
    const host = hostIn(value('target'));
    if (value('type')?.toLowerCase() !== 'omfwd' || host === undefined) return [];
    return finding(host, port(value('port')), value('protocol')?.toLowerCase() === 'tcp', file);
  });
}

function finding(host: string, used: number | undefined, isTcp: boolean, file: string): Finding[] {
  if (isLoopback(host)) return [];
  const moved = used === 514 ? undefined : used;
  return [
    {
      kind: 'host',
      role: 'syslog-server',
      host,
      port: moved,
      from: `${isTcp ? 'forwarding by TCP' : 'forwarding'} of /${file}`,
    },
  ];
}
