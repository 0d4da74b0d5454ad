/** Wishes and site together: how the check is to go. Everything that can be wrong with it is found here. */
import { roomForSockets } from '../load/machine.ts';
import { decodeProxyUrl } from '../load/proxy-url.ts';
import { readSecret, type NamedFiles } from '../load/read-file.ts';
import { parseProxyUrl } from '../load/site.ts';
import { readNamedTrust, readTrust } from '../load/trust.ts';
import { UsageError } from '../model/errors.ts';
import type { Site, SiteProxy, Vantage } from '../model/site.ts';
import type { Mode } from '../model/verdict.ts';
import type { FailOn } from '../judge/report.ts';
import {
  canonicalHost,
  familyOf,
  hostPort,
  isAddress,
  isSameHost,
  parseHostPort,
  withoutBrackets,
  withoutZone,
} from '../model/address.ts';
import { missingLink } from '../load/host.ts';
import type { Proxy } from '../net/proxy.ts';
import type { RunSettings } from '../run/run.ts';
import type { Family } from '../net/resolver.ts';
import type { Probe } from '../model/probe.ts';
import type { Report } from '../model/report.ts';

export interface CheckSettings {
  readonly run: RunSettings;
  readonly mode: Mode;
  readonly failOn: FailOn;
  /** What the report is held against. */
  readonly baseline?: Report | undefined;
  /** Whose certificates are believed, in words: the files, and what Node was started with. */
  readonly roots: readonly string[];
}

/** What whoever starts a check may wish; each has a default. Files are paths, and read here. */
export interface Wishes {
  /** Sockets in flight. @default 512, fewer where few files may be open, more while silence holds them */
  readonly concurrency?: number | undefined;
  /** Sockets in flight to one address. @default 8 */
  readonly perHost?: number | undefined;
  /** New checks a second. @default 2000 */
  readonly rate?: number | undefined;
  /** Resends of a lost datagram. @default 2 */
  readonly retries?: number | undefined;
  /** One attempt. @default 5000 */
  readonly timeoutMs?: number | undefined;
  /** @default 'any', or the family of `sourceAddress` */
  readonly family?: Family | undefined;
  /** An address of this machine. */
  readonly sourceAddress?: string | undefined;
  /** The URL of an HTTP proxy for the rows to external domains, instead of the site's. */
  readonly proxy?: string | undefined;
  /** Files with further trusted roots. */
  readonly ca?: readonly string[] | undefined;
  /** Folders whose files the site may name, beside its own. */
  readonly allowFiles?: readonly string[] | undefined;
  /** @default 'service' */
  readonly mode?: Mode | undefined;
  /** The mildest row verdict that makes the exit code 1. @default 'fail' */
  readonly failOn?: FailOn | undefined;
  /** An older report, to tell what changed since. */
  readonly baseline?: Report | undefined;
  /** False: nothing will be sent, and the proxy's password file is left alone. @default true */
  readonly needsSecrets?: boolean;
}

/** What of a site decides how a run goes. */
export type RunSite = Pick<Site, 'proxy' | 'trust' | 'folder' | 'origin'>;

/**
 * Five seconds: SYNs go out at 0, 1, 2, 3 and 4 s (0, 1 and 3 s on kernels before 6.5), an absent host is told by the
 * kernel at 3.1 s, and some IPv6 rejects come with the second SYN. Below 3.1 s a host that is down looks like a firewall.
 */
const defaultTimeoutMs = 5000;
const defaultPerHost = 8;
const defaultRetries = 2;

/** A stateful firewall with 262,144 entries of 120 s fills at 2,184 new flows a second. */
const defaultRate = 2000;

/** `site` is null for a probe by hand. */
export function settingsFor(
  wishes: Wishes,
  site: RunSite | null,
  vantage: Vantage,
  probes: Readonly<Record<string, Probe>>,
): CheckSettings {
  const sourceAddress = ownAddress(wishes.sourceAddress, vantage);
  return {
    run: {
      ...(wishes.concurrency === undefined ? roomForSockets() : { concurrency: wishes.concurrency }),
      perHost: wishes.perHost ?? defaultPerHost,
      rate: wishes.rate ?? defaultRate,
      retries: wishes.retries ?? defaultRetries,
      timeoutMs: wishes.timeoutMs ?? defaultTimeoutMs,
      family: wishes.family ?? familyFor(sourceAddress),
      sourceAddress,
      proxy: proxyFor(wishes, site),
      // The demonstration plays the vendor too: there its own authority stands for a public one.
      arePublicRoots: site?.origin === 'embedded',
      trust: [...readNamedTrust(site?.trust ?? [], namedFiles(wishes, site ?? {})), ...readTrust(wishes.ca ?? [])],
      ownAddresses: vantage.addresses,
      ownHostname: vantage.hostname,
      probes,
    },
    mode: wishes.mode ?? 'service',
    failOn: wishes.failOn ?? 'fail',
    baseline: wishes.baseline,
    roots: [...rootsOfNode(), ...(site?.trust ?? []), ...(wishes.ca ?? [])],
  };
}

/** What Node believes by itself, by its own options and variables. */
function rootsOfNode(): readonly string[] {
  const { NODE_OPTIONS: more = '', NODE_USE_SYSTEM_CA: system, NODE_EXTRA_CA_CERTS: extra = '' } = process.env;
  const isGiven = (option: string): boolean => [...process.execArgv, ...more.split(/\s+/)].includes(option);
  return [
    isGiven('--use-openssl-ca') ? "OpenSSL's own" : "Node's own",
    ...(isGiven('--use-system-ca') || system === '1' ? ["the system's"] : []),
    ...(extra === '' ? [] : [extra]),
  ];
}

/** An address of this machine, in whatever spelling. One of a link needs the link's name to be bound. */
function ownAddress(text: string | undefined, vantage: Vantage): string | undefined {
  if (text === undefined) return undefined;
  const address = canonicalHost(withoutBrackets(text));
  if (!isAddress(address)) throw new UsageError(`--source-address ${text} is no IP address`);
  const missing = missingLink(address, vantage);
  if (missing !== null) throw new UsageError(`--source-address ${text}: ${missing}`);
  if (vantage.addresses.includes(withoutZone(address))) return address;
  throw new UsageError(
    `--source-address ${text} is not an address of this machine; it has ${vantage.addresses.join(', ')}`,
  );
}

/**
 * A password belongs to one host and port. The site's goes to the site's proxy and to no other that `--proxy` names; the
 * environment's goes with `--proxy`, and to a site's proxy only where the site names a user for it and no file.
 */
function proxyFor(wishes: Wishes, site: RunSite | null): Proxy | null {
  const url = wishes.proxy === undefined ? site?.proxy?.url : parseProxyUrl(wishes.proxy, '--proxy');
  if (url === undefined) return null;
  const { isSecure, host, port, username: named } = decodeProxyUrl(url);
  const own = site?.proxy && isSameProxy(site.proxy.url, url) ? site.proxy : undefined;
  const username = named ?? own?.username ?? (own && decodeProxyUrl(own.url).username);
  const file = own?.passwordFile;
  const isAsked = wishes.proxy !== undefined || (file === undefined && username !== undefined);
  const password =
    (isAsked ? passwordFor(host, port) : undefined) ??
    (wishes.needsSecrets !== false && file !== undefined
      ? readSecret(file, 'proxy.passwordFile', namedFiles(wishes, site ?? {}))
      : undefined);
  if (password !== undefined && username === undefined && file !== undefined) {
    throw new UsageError('proxy.passwordFile is given without proxy.username');
  }
  return { host, port, isSecure, username, password };
}

export function isSameProxy(one: string, other: string): boolean {
  const [a, b] = [decodeProxyUrl(one), decodeProxyUrl(other)];
  return a.port === b.port && a.isSecure === b.isSecure && isSameHost(a.host, b.host);
}

/** The proxy as the plan and the report may know it: without its secrets. */
export function plannedProxy(proxy: Proxy | null, site: Pick<Site, 'proxy'>): SiteProxy | null {
  if (proxy === null) return null;
  const url = `http${proxy.isSecure === true ? 's' : ''}://${hostPort(proxy.host, proxy.port)}`;
  return { url, ...(site.proxy?.for && { for: site.proxy.for }) };
}

/** An empty variable is none. One that says whose password it is (HOST:PORT) keeps it from everybody else. */
function passwordFor(host: string, port: number): string | undefined {
  const { XENREACH_PROXY_PASSWORD: password, XENREACH_PROXY_PASSWORD_FOR: owner } = process.env;
  if (password === undefined || password === '') return undefined;
  if (owner === undefined || owner === '') return password;
  const named = parseHostPort(owner);
  if (named?.port === undefined) throw new UsageError('XENREACH_PROXY_PASSWORD_FOR must be HOST:PORT of the proxy');
  return named.port === port && isSameHost(named.host, host) ? password : undefined;
}

/** Which files a site may name: those below its own folder, and what is allowed beside it. */
export const namedFiles = ({ allowFiles }: Wishes, { folder }: { readonly folder?: string }): NamedFiles => ({
  folders: folder === undefined ? undefined : [folder, ...(allowFiles ?? [])],
});

/** From one address, only addresses of its own family can be reached. */
const familyFor = (sourceAddress: string | undefined): Family =>
  sourceAddress === undefined ? 'any' : familyOf(sourceAddress) === 4 ? '4' : '6';
