/** Command line and site together: how the run is to go. Everything that can be wrong with it is found here. */
import { roomForSockets } from '../load/machine.ts';
import { readSecret, type NamedFiles } from '../load/read-file.ts';
import { parseProxyUrl } from '../load/site.ts';
import { readNamedTrust, readTrust } from '../load/trust.ts';
import { UsageError } from '../model/errors.ts';
import type { Site, Vantage } from '../model/site.ts';
import { modes, type Mode } from '../model/verdict.ts';
import { failOnChoices, type FailOn } from '../judge/report.ts';
import { canonicalHost, familyOf, isAddress, withoutBrackets, withoutZone } from '../model/address.ts';
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
  site: Pick<Site, 'proxy' | 'trust' | 'folder'> | null,
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

function proxyFrom(values: Arguments, site: Pick<Site, 'proxy' | 'folder'> | null, secrets: boolean): Proxy | null {
  const url = values.proxy === undefined ? site?.proxy?.url : parseProxyUrl(values.proxy, '--proxy');
  if (url === undefined) return null;
  const { hostname, port, username: named } = new URL(url);
  const { username, passwordFile } = site?.proxy ?? {};
  const password =
    process.env['XENREACH_PROXY_PASSWORD'] ??
    (secrets && passwordFile !== undefined
      ? readSecret(passwordFile, 'proxy.passwordFile', namedFiles(values, site ?? {}))
      : undefined);
  if (password !== undefined && username === undefined && passwordFile !== undefined) {
    throw new UsageError('proxy.passwordFile is given without proxy.username');
  }
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(port || 80), username: named ? decodeURIComponent(named) : username, password };
}

/** Which files a site may name: those below its own folder, and what the command line allows. */
export const namedFiles = (values: Arguments, { folder }: { readonly folder?: string }): NamedFiles => ({
  folders: folder === undefined ? undefined : [folder, ...(values['allow-files'] ?? [])],
});

/** From one address, only addresses of its own family can be reached. */
const familyFor = (sourceAddress: string | undefined): string =>
  sourceAddress === undefined ? 'any' : String(familyOf(sourceAddress));
