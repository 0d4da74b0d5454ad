/**
 * The installer's answer file, before there is a host: name servers, time servers, and where it installs from. Read as
 * elements of known names, and nothing else of it is looked at; passwords stand in elements of other names.
 */
import type { Finding, Source } from './finding.ts';
import { hostIn } from './records.ts';
import { nfsFinding, nfsServerOf } from './file-servers.ts';

export function answerfileSource(text: string, file: string): Source {
  const body = text.replaceAll(/<!--[\s\S]*?-->/g, '');
  const name = `the answer file ${file}`;
  if (!/<(?:installation|restore)[\s>]/.test(body)) {
    return {
      name,
      findings: [],
      told: [],
      trouble: `${file} is no answer file of the installer: it has no <installation>`,
    };
  }
  const findings: Finding[] = [
    { kind: 'vantage', role: 'xenserver-host', from: 'the host that the answer file installs' },
    ...named(body),
    ...servers(body, {
      element: 'name-?server',
      role: 'dns-server',
      from: '<name-server>',
      otherwise: 'the answer file names none: they come from DHCP',
    }),
    ...timeServers(body),
    ...servers(body, {
      element: 'ipaddr|ip',
      role: 'xenserver-host',
      from: '<admin-interface>: the host itself',
      otherwise: 'the address comes from DHCP; list the hosts of the pool that it will join',
    }),
    ...sources(body),
  ];
  return { name, findings, told: [], trouble: null };
}

/** `<name attributes>text</name>`; entities undone, short. */
function elements(body: string, name: string): { readonly attributes: string; readonly text: string }[] {
  const found = body.matchAll(new RegExp(String.raw`<(?:${name})(\s[^<>]*)?>([^<]*)<`, 'gi'));
  return [...found]
    .slice(0, 200)
    .map(([, attributes = '', text = '']) => ({ attributes, text: unescaped(text).trim() }));
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
const unescaped = (text: string): string =>
  text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? '');

function named(body: string): Finding[] {
  const [hostname] = elements(body, 'hostname');
  return hostname && hostname.text !== ''
    ? [{ kind: 'name', name: hostname.text.slice(0, 64), from: '<hostname>' }]
    : [];
}

interface Wanted {
  readonly element: string;
  readonly role: string;
  readonly from: string;
  readonly otherwise: string;
}

function servers(body: string, { element, role, from, otherwise }: Wanted): Finding[] {
  const found = elements(body, element).flatMap(({ text }) => text.split(/[\s,]+/).filter(Boolean));
  const findings = found.flatMap((text): Finding[] => {
    const host = hostIn(text);
    return host === undefined ? [] : [{ kind: 'host', role, host, from }];
  });
  return findings.length > 0 ? findings : [{ kind: 'absent', about: { role }, hint: otherwise }];
}

function timeServers(body: string): Finding[] {
  const [, source] = /<ntp\s[^>]*source\s*=\s*["'](\w+)["']/i.exec(body) ?? [];
  const otherwise = hintOf(source);
  return servers(body, { element: 'ntp-servers?', role: 'ntp-server', from: '<ntp-server>', otherwise });
}

const hintOf = (source: string | undefined): string =>
  source === 'none'
    ? 'NTP is disabled (<ntp source="none">)'
    : `they come from ${source === 'dhcp' || source === undefined ? 'DHCP' : 'the installer (0-3.xenserver.pool.ntp.org)'}`;

/** Where the installer reads its packages from: told, since no row is about it; an NFS server is one of the site. */
function sources(body: string): Finding[] {
  return elements(body, 'source|driver-source').flatMap(({ attributes, text }): Finding[] => {
    const isNfs = /type\s*=\s*["']nfs["']/i.test(attributes) || text.startsWith('nfs://');
    if (isNfs) {
      const server = nfsServerOf(text.replace(/^nfs:\/\//, ''));
      const found = nfsFinding(server, undefined, '', '<source>: installed from there by NFS');
      return found ? [found] : [];
    }
    return [{ kind: 'remark', text: `answer file: installed from ${withoutCredentials(text)}; no row is about it` }];
  });
}

const withoutCredentials = (url: string): string => url.replace(/\/\/[^/]*@/, '//').slice(0, 200);
