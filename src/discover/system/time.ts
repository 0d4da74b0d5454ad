/** Time servers: chrony with what it includes and what DHCP told it, ntpd, systemd-timesyncd. */
import type { Finding } from '../finding.ts';
import { hostIn } from '../records.ts';
import { entriesOf, linesOf, type SystemFiles } from './files.ts';

const maxFiles = 200;

export function timeServers(files: SystemFiles): Finding[] {
  const found = [...chrony(files), ...ntpd(files), ...timesyncd(files)];
  const findings = found.length > 0 ? found : leases(files);
  if (findings.length > 0) return findings;
  const hint = 'neither chrony, ntpd nor systemd-timesyncd names one here';
  return [{ kind: 'absent', about: { role: 'ntp-server' }, hint }];
}

function chrony(files: SystemFiles): Finding[] {
  const todo = ['etc/chrony.conf', 'etc/chrony/chrony.conf', ...files.list('run/chrony-dhcp', '.sources')];
  const seen = new Set<string>();
  const findings: Finding[] = [];
  for (const file of todo) {
    if (seen.has(file) || seen.size >= maxFiles) continue;
    seen.add(file);
    for (const line of linesOf(files.text(file), /^\s*[#;!%].*/)) {
      const [directive = '', ...words] = line.split(/\s+/);
      const word = directive.toLowerCase();
      findings.push(...serverIn(word, words[0], file));
      if (word === 'include') todo.push(...matching(files, words[0] ?? ''));
      const ending = word === 'confdir' ? '.conf' : word === 'sourcedir' ? '.sources' : undefined;
      if (ending !== undefined) for (const folder of words) todo.push(...files.list(relative(folder), ending));
    }
  }
  return findings;
}

function serverIn(word: string, name: string | undefined, file: string): Finding[] {
  if (word !== 'server' && word !== 'pool' && word !== 'peer') return [];
  const host = hostIn(name);
  // 127.127.x.y is a clock on this machine to ntpd.
  if (host === undefined || host.startsWith('127.')) return [];
  return [{ kind: 'host', role: 'ntp-server', host, from: `${word} of /${file}` }];
}

/** A path whose last part may have a star in it. */
function matching(files: SystemFiles, path: string): readonly string[] {
  const at = path.lastIndexOf('/');
  const [folder, pattern] = [relative(path.slice(0, at)), path.slice(at + 1)];
  if (!pattern.includes('*')) return [relative(path)];
  const [start = '', end = ''] = pattern.split('*');
  return files.list(folder, end).filter((each) => each.slice(folder.length + 1).startsWith(start));
}

const relative = (path: string): string => path.replace(/^\/+/, '');

function ntpd(files: SystemFiles): Finding[] {
  return ['etc/ntp.conf', 'etc/ntpsec/ntp.conf'].flatMap((file) =>
    linesOf(files.text(file)).flatMap((line) => {
      const [word = '', ...rest] = line.split(/\s+/);
      return serverIn(
        word,
        rest.find((each) => !each.startsWith('-')),
        file,
      );
    }),
  );
}

function timesyncd(files: SystemFiles): Finding[] {
  const all = ['etc/systemd/timesyncd.conf', ...files.list('etc/systemd/timesyncd.conf.d', '.conf')];
  return all.flatMap((file) =>
    entriesOf(files.text(file))
      .filter(({ section, key }) => section === 'time' && key === 'ntp')
      .flatMap(({ value }) => value.split(/\s+/).flatMap((name) => serverIn('server', name, file))),
  );
}

/** The last lease of each interface counts, where the configuration itself names nobody. */
function leases(files: SystemFiles): Finding[] {
  const all = ['var/lib/xcp', 'var/lib/dhclient', 'var/lib/dhcp'].flatMap((folder) =>
    files.list(folder, '.leases').concat(files.list(folder, '.lease')),
  );
  return all.flatMap((file) => {
    const told = [...files.text(file).matchAll(/option ntp-servers ([^;]+);/g)].at(-1)?.[1] ?? '';
    return told.split(',').flatMap((name) => serverIn('server', name.trim(), file));
  });
}
