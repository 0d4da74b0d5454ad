/**
 * Findings of all sources as one site: each host once, with everything that was said of it; what contradicts is told. What
 * the spec does not know is left out. Pure; the first source wins where only one can.
 */
import { defaultSpec } from '../load/default-spec.ts';
import { productText } from '../load/product.ts';
import { canonicalHost } from '../model/address.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { AbsentFinding, AlertFinding, Finding, HostFinding, ProxyFinding, Source } from './finding.ts';

/** A value of the site, and the sentence that stands behind it. */
export interface Sourced<T> {
  readonly value: T;
  readonly from: string;
}

export interface DraftRole {
  readonly role: string;
  readonly hosts: readonly HostFinding[];
  readonly domain: Sourced<string> | undefined;
}

export interface Draft {
  readonly sources: readonly string[];
  readonly remarks: readonly string[];
  readonly name: Sourced<string> | undefined;
  /** What the pool says that it is: "XCP-ng 8.3.0". */
  readonly product: Sourced<string> | undefined;
  /** The table that it was held against, where that is not the usual one. */
  readonly spec: string | undefined;
  readonly vantage: readonly Sourced<string>[];
  /** In the spec's order; a role without hosts and domain was looked for in vain. */
  readonly roles: readonly DraftRole[];
  readonly notUsed: readonly Sourced<string>[];
  readonly facts: readonly { readonly fact: string; readonly value: string | boolean; readonly from: string }[];
  readonly proxy: ProxyFinding | undefined;
  readonly pins: readonly Sourced<string>[];
  readonly alerts: readonly Omit<AlertFinding, 'kind'>[];
  /** What was not found, by role or fact or `proxy`: why, and what to do. */
  readonly absent: ReadonlyMap<string, string>;
}

/** A domain with a thousand hosts is no site that a file should list. */
const maxHosts = 1000;
const maxFrom = 200;

export function draftOf(sources: readonly Source[], spec: LoadedSpec): Draft {
  const findings = sources.flatMap((source) => source.findings);
  const remarks = new Set(of(findings, 'remark').map(({ text }) => text));
  const roles = Object.entries(spec.roles)
    .filter(([, { discovery }]) => discovery === undefined || discovery === 'active-directory')
    .map(([role, { discovery }]) => roleOf(role, findings, discovery === 'active-directory', remarks));
  const isFilled = ({ hosts, domain }: DraftRole): boolean => hosts.length > 0 || domain !== undefined;
  const filled = new Set(roles.filter(isFilled).map(({ role }) => role));
  const notUsed = unique(of(findings, 'not-used'), ({ role }) => role).filter(({ role }) =>
    Object.hasOwn(spec.roles, role),
  );
  for (const { role, from } of notUsed) {
    if (filled.has(role)) remarks.add(`${role}: ${from}; but another source names it, so it stays`);
  }
  const facts = factsOf(findings, spec, remarks);
  const [proxy, ...otherProxies] = of(findings, 'proxy');
  for (const other of otherProxies) {
    if (other.url !== proxy?.url) remarks.add(`another proxy is set: ${other.url} (${other.from})`);
  }
  return {
    sources: sources.map(({ name }) => name),
    remarks: [...remarks],
    name: first(of(findings, 'name').map(({ name, from }) => ({ value: name, from }))),
    product: first(of(findings, 'product').map((each) => ({ value: productText(each), from: each.from }))),
    spec: spec.id === defaultSpec ? undefined : spec.id,
    vantage: unique(of(findings, 'vantage'), ({ role }) => role)
      .filter(({ role }) => spec.rows.some((row) => row.sourceRoles.includes(role)))
      .map(({ role, from }) => ({ value: role, from })),
    roles,
    notUsed: notUsed.filter(({ role }) => !filled.has(role)).map(({ role, from }) => ({ value: role, from })),
    facts,
    proxy: proxyFor(proxy, spec),
    pins: unique(of(findings, 'pin'), ({ fingerprint }) => fingerprint).map(({ fingerprint, from }) => ({
      value: fingerprint,
      from,
    })),
    alerts: of(findings, 'alert').map(({ rows, text }) => ({ rows, text })),
    absent: absences(findings),
  };
}

/** Is there anything to check with? */
export const isEmpty = ({ roles, proxy }: Draft): boolean =>
  proxy === undefined && roles.every(({ hosts, domain }) => hosts.length === 0 && domain === undefined);

/** "ntp-server (2), domain-controller (corp.test)" */
export function rolesText({ roles }: Draft): string {
  const found = roles.flatMap(({ role, hosts, domain }) => {
    if (domain !== undefined) return [`${role} (${domain.value})`];
    return hosts.length > 0 ? [`${role} (${hosts.length})`] : [];
  });
  return found.join(', ') || 'a proxy alone';
}

function roleOf(role: string, findings: readonly Finding[], takesDomain: boolean, remarks: Set<string>): DraftRole {
  const hosts = new Map<string, HostFinding>();
  for (const finding of of(findings, 'host')) {
    if (finding.role !== role) continue;
    // One host with two ports or consoles is two entries, as a site has it.
    const key = JSON.stringify([canonicalHost(finding.host), finding.port, finding.ports, finding.console]);
    const known = hosts.get(key);
    hosts.set(key, known ? { ...known, from: joined(known.from, finding.from) } : finding);
  }
  const [domain, ...others] = unique(of(findings, 'domain'), (each) => each.domain);
  if (takesDomain) for (const other of others) remarks.add(`another domain: ${other.domain} (${other.from})`);
  if (hosts.size > maxHosts) remarks.add(`${role}: ${hosts.size} hosts were found, the first ${maxHosts} are listed`);
  return {
    role,
    hosts: [...hosts.values()].slice(0, maxHosts),
    domain: takesDomain && domain ? { value: domain.domain, from: domain.from } : undefined,
  };
}

/** "x of a" and "x of b" are "x of a, b". */
function joined(one: string, other: string): string {
  const sayings = one.split('; ');
  const last = sayings.at(-1) ?? '';
  const [subject, names] = lastOf(last);
  const [otherSubject, otherNames] = lastOf(other);
  if (sayings.includes(other) || (subject === otherSubject && names.split(', ').includes(otherNames))) return one;
  const isSame = subject !== '' && subject === otherSubject;
  const both = isSame ? `${one}, ${otherNames}` : `${one}; ${other}`;
  if (one.endsWith('…')) return one;
  return both.length <= maxFrom ? both : `${one}…`;
}

/** "host.address of xs1" -> ["host.address", "xs1"] */
function lastOf(text: string): readonly [string, string] {
  const at = text.lastIndexOf(' of ');
  return at < 0 ? ['', text] : [text.slice(0, at), text.slice(at + 4)];
}

function factsOf(findings: readonly Finding[], spec: LoadedSpec, remarks: Set<string>): Draft['facts'] {
  const known = of(findings, 'fact').filter(({ fact, value }) => typeof spec.facts[fact]?.default === typeof value);
  const facts = unique(known, ({ fact }) => fact);
  for (const { fact, value, from } of known) {
    if (facts.some((each) => each.fact === fact && each.value !== value)) {
      remarks.add(`${fact}: another source says ${String(value)} (${from})`);
    }
  }
  return facts;
}

/** Its rows may be none of this spec's. */
function proxyFor(proxy: ProxyFinding | undefined, spec: LoadedSpec): ProxyFinding | undefined {
  if (proxy?.for === undefined) return proxy;
  const rows = proxy.for.filter((id) => spec.rows.some((row) => row.id === id && row.hosts));
  return rows.length === 0 ? undefined : { ...proxy, for: rows };
}

function absences(findings: readonly Finding[]): ReadonlyMap<string, string> {
  const hints = new Map<string, string>();
  for (const { about, hint } of of(findings, 'absent')) {
    const key = keyOf(about);
    const known = hints.get(key);
    hints.set(key, known === undefined ? hint : joined(known, hint));
  }
  return hints;
}

const keyOf = (about: AbsentFinding['about']): string =>
  about === 'proxy' ? 'proxy' : 'role' in about ? about.role : about.fact;

function of<K extends Finding['kind']>(findings: readonly Finding[], kind: K): Extract<Finding, { kind: K }>[] {
  return findings.filter((finding): finding is Extract<Finding, { kind: K }> => finding.kind === kind);
}

const unique = <T>(values: readonly T[], keyOfValue: (value: T) => string): T[] =>
  [...new Map(values.toReversed().map((value) => [keyOfValue(value), value])).values()].toReversed();

const first = <T>(values: readonly T[]): T | undefined => values[0];
