/** The HTTP proxy of this machine's package manager or environment. A password in it is left where it stands. */
import type { Finding } from '../finding.ts';
import { proxyUrl } from '../proxy-setting.ts';
import { entriesOf, linesOf, type SystemFiles } from './files.ts';

const updateRows = ['updates-repo', 'updates-source-repo'];

/** `environment`: that of this process, where the files are this machine's own. */
export function proxies(files: SystemFiles, environment: Readonly<Record<string, string | undefined>>): Finding[] {
  const findings = [
    ...['etc/yum.conf', 'etc/dnf/dnf.conf', ...files.list('etc/yum.repos.d', '.repo')].flatMap((file) =>
      packages(files, file),
    ),
    ...['etc/apt/apt.conf', ...files.list('etc/apt/apt.conf.d', '')].flatMap((file) => apt(files, file)),
    ...variables(fileVariables(files), '/etc/environment'),
    ...variables(environment, 'the environment'),
  ];
  if (findings.length > 0) return findings;
  return [{ kind: 'absent', about: 'proxy', hint: 'neither yum, dnf, apt nor the environment has a proxy here' }];
}

function packages(files: SystemFiles, file: string): Finding[] {
  const entries = entriesOf(files.text(file));
  const found = entries.find(({ key, value }) => key === 'proxy' && value !== '' && !value.startsWith('_none_'));
  if (!found) return [];
  const username = entries.find(({ section, key }) => key === 'proxy_username' && section === found.section)?.value;
  return setting({ url: found.value, username, for: updateRows, from: `proxy of /${file}: for the updates alone` });
}

function apt(files: SystemFiles, file: string): Finding[] {
  const text = linesOf(files.text(file), /^\s*(?:#|\/\/).*/).join('\n');
  const [, url] = /Acquire::https?::Proxy\s+"([^"]+)"/i.exec(text) ?? [];
  return url === undefined || url === 'DIRECT' ? [] : setting({ url, from: `Acquire::http::Proxy of /${file}` });
}

function fileVariables(files: SystemFiles): Record<string, string> {
  const pairs = linesOf(files.text('etc/environment')).flatMap((line) => {
    const [, name, value] = /^(?:export\s+)?([A-Za-z_]+)=(['"]?)(.*)\2$/.exec(line)?.toSpliced(2, 1) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(pairs);
}

function variables(values: Readonly<Record<string, string | undefined>>, where: string): Finding[] {
  const name = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'].find((each) => values[each]);
  const url = name === undefined ? undefined : values[name];
  return url === undefined ? [] : setting({ url, from: `${name} of ${where}` });
}

interface Setting {
  readonly url: string;
  readonly username?: string | undefined;
  readonly for?: readonly string[];
  readonly from: string;
}

function setting({ url, username, from, ...rest }: Setting): Finding[] {
  const usable = proxyUrl(url);
  if (usable === undefined)
    return [{ kind: 'absent', about: 'proxy', hint: `${from} is no URL of an HTTP proxy; write it by hand` }];
  return [{ kind: 'proxy', url: usable.url, username: username ?? usable.username, from, ...rest }];
}
