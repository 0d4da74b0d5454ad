/**
 * A draft as the text of a site file: each entry with a comment that says where it came from, and what was looked for and
 * not found commented out, with what to do. What stands in it may come from a hostile pool: every value is quoted unless
 * it is plain, every comment is one visible line.
 */
import { visible, codeUnits, unprintable } from '../wire/visible.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { HostFinding } from './finding.ts';
import type { Draft, DraftRole } from './draft.ts';

/** What a person would write where nothing was found. */
const examples: Readonly<Record<string, string>> = {
  'domain-controller': '{ domain: corp.example.test }',
  'san-controller': '{ host: 10.0.0.10, port: 3260 }',
  'wlb-appliance': '{ host: wlb.example.test, port: 8012 }',
  vm: '[{ host: 10.0.0.10, console: vnc }]',
};

/** Where an administrator finds it, when nobody that was asked knows. */
const places: Readonly<Record<string, string>> = {
  'xenserver-host': 'xe host-list params=address',
  'citrix-license-server': 'xe host-list params=license-server',
  'wlb-appliance': 'xe pool-list params=wlb-url',
  'cluster-member': 'xe cluster-host-list, on a host; or not-used: [cluster-member]',
  'syslog-server': 'xe host-list params=logging',
  'domain-controller': 'xe host-list params=external-auth-service-name, or --domain NAME',
  'san-controller': 'xe pbd-list params=device-config',
  'nfsv4-server': 'xe pbd-list params=device-config',
  'nfsv3-server': 'xe pbd-list params=device-config',
  'smb-file-server': 'xe pbd-list params=device-config',
};

/** Roles that nobody looks for unless asked, and that only clutter a file. */
const seldom = new Set(['xencenter', 'windows-vm', 'management-client', 'pvs-target-device', 'vm']);

export function writeYaml(draft: Draft, spec: LoadedSpec): string {
  const lines = [
    '# Site file for xenreach, written by xenreach discover. Each entry says where it came from.',
    ...draft.sources.map((name) => comment(`asked: ${name}`)),
    ...draft.remarks.map((remark) => comment(remark)),
    '',
    ...(draft.name ? [`name: ${scalar(draft.name.value)} ${comment(draft.name.from)}`] : ['# name: my-site']),
    ...productLines(draft),
    ...vantageLines(draft),
    ...roleLines(draft),
    ...notUsedLines(draft),
    ...factLines(draft, spec),
    ...proxyLines(draft),
    ...pinLines(draft),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same without comments, which JSON has none of. */
export function writeJson(draft: Draft): string {
  return `${escaped(JSON.stringify(siteValue(draft), null, 2))}\n`;
}

export function siteValue(draft: Draft): Readonly<Record<string, unknown>> {
  const { name, product, spec, vantage, notUsed, facts, proxy, pins } = draft;
  const roles = draft.roles.filter(isFilled).map((role) => [role.role, roleValue(role)] as const);
  return {
    ...(name && { name: name.value }),
    ...(product && { product: product.value }),
    ...(spec !== undefined && { spec: specNames(spec) }),
    ...(vantage.length > 0 && { vantage: vantage.map(({ value }) => value) }),
    roles: Object.fromEntries(roles),
    ...(notUsed.length > 0 && { 'not-used': notUsed.map(({ value }) => value) }),
    ...(facts.length > 0 && { facts: Object.fromEntries(facts.map(({ fact, value }) => [fact, value])) }),
    ...(proxy && {
      proxy: {
        url: proxy.url,
        ...(proxy.username !== undefined && { username: proxy.username }),
        ...(proxy.for && { for: proxy.for }),
      },
    }),
    ...(pins.length > 0 && { 'pool-certificates': pins.map(({ value }) => value) }),
  };
}

const isFilled = ({ hosts, domain }: DraftRole): boolean => hosts.length > 0 || domain !== undefined;

/** Hosts that somebody named go before those that DNS would name. */
const roleValue = ({ hosts, domain }: DraftRole): unknown =>
  domain === undefined
    ? hosts.map(hostValue)
    : { domain: domain.value, ...(hosts.length > 0 && { hosts: hosts.map(hostValue) }) };

function hostValue({ host, port, ports, console }: HostFinding): unknown {
  if (port === undefined && ports === undefined && console === undefined) return host;
  return { host, ...(port !== undefined && { port }), ...(ports && { ports }), ...(console && { console }) };
}

const productLines = ({ product, spec }: Draft): string[] => [
  ...(product ? [`product: ${scalar(product.value)} ${comment(product.from)}`] : []),
  ...(spec === undefined
    ? []
    : [`spec: ${[specNames(spec)].flat().length > 1 ? `[${spec.replaceAll('+', ', ')}]` : spec}`]),
];

/** Several are joined by "+". */
function specNames(id: string): string | readonly string[] {
  const names = id.split('+');
  return names.length === 1 ? id : names;
}

function vantageLines({ vantage }: Draft): string[] {
  const [first] = vantage;
  if (!first) return [comment('vantage: [xenserver-host]', 'which source roles does this machine play?')];
  return [`vantage: [${vantage.map(({ value }) => scalar(value)).join(', ')}] ${comment(first.from)}`];
}

function roleLines({ roles, absent, notUsed }: Draft): string[] {
  const entries = roles.flatMap((role) => {
    if (isFilled(role)) return entryLines(role);
    const hint = absent.get(role.role);
    if (hint === undefined && (seldom.has(role.role) || notUsed.some(({ value }) => value === role.role))) return [];
    const example = examples[role.role] ?? '[10.0.0.10]';
    return [`  ${comment(`${role.role}: ${example}`, `not found: ${hint ?? placeText(role.role)}`)}`];
  });
  return ['', roles.some(isFilled) ? 'roles:' : 'roles: {}', ...entries];
}

const placeText = (role: string): string =>
  Object.hasOwn(places, role) ? `nobody that was asked knows it; ${places[role]}` : 'nobody that was asked knows it';

/** The block of one role, two blanks deep. */
export function entryLines(role: DraftRole, indent = '  '): string[] {
  const { hosts, domain } = role;
  const inner = domain === undefined ? `${indent}  ` : `${indent}    `;
  const items = hosts.map((host) => `${inner}- ${flowHost(host)} ${comment(host.from)}`);
  if (domain === undefined) return [`${indent}${role.role}:`, ...items];
  const named = `${indent}  domain: ${scalar(domain.value)} ${comment(domain.from)}`;
  return [`${indent}${role.role}:`, named, ...(items.length > 0 ? [`${indent}  hosts:`, ...items] : [])];
}

export function flowHost({ host, port, ports, console }: HostFinding): string {
  if (port === undefined && ports === undefined && console === undefined) return scalar(host);
  const moved = Object.entries(ports ?? {}).map(([documented, used]) => `"${documented}": ${used}`);
  const parts = [
    `host: ${scalar(host)}`,
    ...(port === undefined ? [] : [`port: ${port}`]),
    ...(moved.length > 0 ? [`ports: { ${moved.join(', ')} }`] : []),
    ...(console === undefined ? [] : [`console: ${console}`]),
  ];
  return `{ ${parts.join(', ')} }`;
}

function notUsedLines({ notUsed }: Draft): string[] {
  if (notUsed.length === 0) return [];
  return ['', 'not-used:', ...notUsed.map(({ value, from }) => `  - ${scalar(value)} ${comment(from)}`)];
}

function factLines({ facts, absent }: Draft, spec: LoadedSpec): string[] {
  const lines = Object.entries(spec.facts).flatMap(([fact, { default: usual }]) => {
    const found = facts.find((each) => each.fact === fact);
    if (found) return [`  ${factLine(found)}`];
    const hint = absent.get(fact);
    return hint === undefined ? [] : [`  ${comment(`${fact}: ${String(usual)}`, `taken for granted; ${hint}`)}`];
  });
  if (lines.length === 0) return [];
  return ['', facts.length > 0 ? 'facts:' : 'facts: {}', ...lines];
}

export const factLine = ({ fact, value, from }: Draft['facts'][number]): string =>
  `${fact}: ${typeof value === 'string' ? scalar(value) : String(value)} ${comment(from)}`;

export function proxyLines({ proxy, absent }: Draft): string[] {
  if (!proxy) {
    const hint = absent.get('proxy');
    return hint === undefined
      ? []
      : ['', comment('proxy: { url: "http://proxy.example.test:3128" }', `not found: ${hint}`)];
  }
  const password = comment(
    'passwordFile: proxy.password',
    'a file below the folder of this one, or XENREACH_PROXY_PASSWORD: no password is written here',
  );
  return [
    '',
    'proxy:',
    `  url: ${scalar(proxy.url)} ${comment(proxy.from)}`,
    ...(proxy.for ? [`  for: [${proxy.for.map((id) => scalar(id)).join(', ')}]`] : []),
    ...(proxy.username === undefined ? [] : [`  username: ${scalar(proxy.username)}`, `  ${password}`]),
  ];
}

/** A digest of digits alone would be a number. */
export function pinLines({ pins }: Draft): string[] {
  if (pins.length === 0) return [];
  return ['', 'pool-certificates:', ...pins.map(({ value, from }) => `  - ${JSON.stringify(value)} ${comment(from)}`)];
}

/** One line, whatever is in it. */
export const comment = (...texts: readonly string[]): string =>
  `# ${visible(texts.join('  # ').replaceAll(/[\n\r\t\u0085\u2028\u2029]+/g, ' '))}`;

/** Plain where it can only be read as a text, else in double quotes, which YAML reads as JSON does. */
export function scalar(value: string): string {
  const isPlain = /^(?:[A-Za-z][A-Za-z0-9._-]*|\d{1,3}(?:\.\d{1,3}){3})$/.test(value);
  const isWord = /^(?:true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isPlain && !isWord ? value : escaped(JSON.stringify(value.toWellFormed()));
}

const escaped = (json: string): string =>
  json.replaceAll(unprintable(), (char) => (char === '\n' ? char : codeUnits(char)));
