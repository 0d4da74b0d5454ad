/** Command line and site together: how the run is to go. Everything that can be wrong with it is found here. */
import { roomForSockets } from '../load/machine.ts';
import { decodeProxyUrl } from '../load/proxy-url.ts';
import { readSecret, type NamedFiles } from '../load/read-file.ts';
import { parseProxyUrl } from '../load/site.ts';
import { readNamedTrust, readTrust } from '../load/trust.ts';
import { UsageError } from '../model/errors.ts';
import type { Site, SiteProxy, Vantage } from '../model/site.ts';
import { modes, type Mode } from '../model/verdict.ts';
import { failOnChoices, type FailOn } from '../judge/report.ts';
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
import { durationMs, oneOf, wholeNumber, type Arguments } from './options.ts';
import { probes } from './registry.ts';

export interface Settings {
  readonly run: RunSettings;
  readonly mode: Mode;
  readonly failOn: FailOn;
  readonly deadlineMs: number | undefined;
}

/**
 * Five seconds: SYNs go out at 0, 1, 2, 3 and 4 s (0, 1 and 3 s on kernels before 6.5), an absent host is told by the
 * kernel at 3.1 s, and some IPv6 rejects come with the second SYN. Below 3.1 s a host that is down looks like a firewall.
 */
const usualTimeoutMs = 5000;
const usualPerHost = 8;

/** A stateful firewall with 262,144 entries of 120 s fills at 2,184 new flows a second. */
const usualRate = 2000;

/** A plan sends nothing and needs no password: `secrets` false leaves its file alone. */
export function settingsFrom(
  values: Arguments,
  site: Pick<Site, 'proxy' | 'trust' | 'folder' | 'origin'> | null,
  vantage: Vantage,
  { secrets = true }: { readonly secrets?: boolean } = {},
): Settings {
  const sourceAddress = sourceAddressFrom(values['source-address'], vantage);
  const number = (name: 'per-host' | 'rate' | 'retries', from: number, to: number, usual: () => number): number => {
    const text = values[name];
    return text === undefined ? usual() : wholeNumber(text, name, from, to);
  };
  return {
    run: {
      ...(values.concurrency === undefined
        ? roomForSockets()
        : { concurrency: wholeNumber(values.concurrency, 'concurrency', 1, 65_536) }),
      perHost: number('per-host', 1, 65_536, () => usualPerHost),
      rate: number('rate', 1, 1_000_000, () => usualRate),
      retries: number('retries', 0, 10, () => 2),
      timeoutMs: values.timeout === undefined ? usualTimeoutMs : durationMs(values.timeout, 'timeout'),
      family: oneOf(values.family ?? familyFor(sourceAddress), 'family', ['4', '6', 'any']),
      sourceAddress,
      proxy: proxyFrom(values, site, secrets),
      // The demonstration plays the vendor too: there its own authority stands for a public one.
      arePublicRoots: site?.origin === 'embedded',
      trust: [...readNamedTrust(site?.trust ?? [], namedFiles(values, site ?? {})), ...readTrust(values.ca ?? [])],
      ownAddresses: vantage.addresses,
      ownHostname: vantage.hostname,
      probes,
    },
    mode: oneOf(values.mode ?? 'service', 'mode', modes),
    failOn: oneOf(values['fail-on'] ?? 'fail', 'fail-on', failOnChoices),
    deadlineMs: values.deadline === undefined ? undefined : durationMs(values.deadline, 'deadline'),
  };
}

/** An address of this machine, in whatever spelling. One of a link needs the link's name to be bound. */
function sourceAddressFrom(text: string | undefined, vantage: Vantage): string | undefined {
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
function proxyFrom(values: Arguments, site: Pick<Site, 'proxy' | 'folder'> | null, secrets: boolean): Proxy | null {
  const url = values.proxy === undefined ? site?.proxy?.url : parseProxyUrl(values.proxy, '--proxy');
  if (url === undefined) return null;
  const { isSecure, host, port, username: named } = decodeProxyUrl(url);
  const own = site?.proxy && isSameProxy(site.proxy.url, url) ? site.proxy : undefined;
  const username = named ?? own?.username ?? (own && decodeProxyUrl(own.url).username);
  const file = own?.passwordFile;
  const isAsked = values.proxy !== undefined || (file === undefined && username !== undefined);
  const password =
    (isAsked ? passwordFor(host, port) : undefined) ??
    (secrets && file !== undefined
      ? readSecret(file, 'proxy.passwordFile', namedFiles(values, site ?? {}))
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

/** Which files a site may name: those below its own folder, and what the command line allows. */
export const namedFiles = (values: Arguments, { folder }: { readonly folder?: string }): NamedFiles => ({
  folders: folder === undefined ? undefined : [folder, ...(values['allow-files'] ?? [])],
});

/** From one address, only addresses of its own family can be reached. */
const familyFor = (sourceAddress: string | undefined): string =>
  sourceAddress === undefined ? 'any' : String(familyOf(sourceAddress));
