/** From an outcome to a sentence: which layer failed, and what to do about it on which side. Data first, words second. */
import type { Observation } from '../model/outcome.ts';
import type { Check, Use } from '../model/plan.ts';
import { isOfPair, pairRemedy } from './explain-pair.ts';

export const layers = [
  'name',
  'route',
  'firewall',
  'service',
  'protocol',
  'certificate',
  'clock',
  'proxy',
  'this machine',
] as const;
export type Layer = (typeof layers)[number];

type Ended = Pick<Observation, 'outcome' | 'stage' | 'hint' | 'code'>;

export function layerOf({ outcome, stage, hint, code }: Ended): Layer {
  // The proxy's own name is a matter of names.
  if ((hint === 'proxy' && outcome !== 'unresolved') || stage === 'proxy') return 'proxy';
  if (isOfPair(hint)) return hint === 'stand-in' || hint === 'held' ? 'service' : 'firewall';
  switch (outcome) {
    case 'unresolved':
      return 'name';
    case 'unreachable':
      // A router that knows no way is no firewall that forbids one.
      if (code === 'ENETUNREACH') return 'route';
      return hint === 'icmp-reject' || hint === null ? 'firewall' : 'route';
    case 'timeout':
      if (hint === 'host-down' || hint === 'host-silent') return 'route';
      return stage === 'connect' || hint === 'large-hello' ? 'firewall' : 'service';
    case 'untrusted':
      return hint === 'clock' ? 'clock' : 'certificate';
    case 'tls-failed':
    case 'garbled':
      return 'protocol';
    case 'local':
    case 'aborted':
      return 'this machine';
    case 'answered':
    case 'declined':
    case 'refused':
    case 'closed':
      return 'service';
  }
}

/** What a remedy is about: the check, how its row uses it, and what was seen. */
export interface Seen {
  readonly check: Check;
  readonly use: Use;
  readonly observation: Observation;
}

/** What to do next, and on which side. Null where there is nothing to do. */
export function remedyFor(seen: Seen): string | null {
  const { check, use, observation } = seen;
  if (observation.remedy !== null) return observation.remedy;
  if (isOfPair(observation.hint)) return pairRemedy(seen, observation.hint);
  if (observation.hint === 'proxy' && observation.outcome !== 'answered') return proxyRemedy;
  switch (observation.outcome) {
    case 'answered':
      return observation.hint === 'large-hello'
        ? `Have the firewall team look for a device between here and ${addressOf(seen)} that drops a TLS hello of two TCP segments: current clients send one.`
        : null;
    case 'unresolved':
      return nameRemedy(seen);
    case 'unreachable':
      return routeRemedy(seen);
    case 'refused':
      return use.isVendors ? vendorRemedy(seen) : refusedRemedy(seen);
    case 'timeout':
      return timeoutRemedy(seen);
    case 'closed':
      if (observation.stage === 'proxy') return proxyRemedy;
      if (use.isVendors) return vendorRemedy(seen);
      return `Something on ${addressOf(seen)} accepts and hangs up: look at the service's log and its access list, or for a load balancer without a back end.`;
    case 'declined':
      if (observation.stage === 'proxy') return proxyRemedy;
      if (use.isVendors) return vendorRemedy(seen);
      return `The service on ${addressOf(seen)} is there and says no: its configuration or its log has the reason.`;
    case 'garbled': {
      if (observation.stage === 'proxy') return proxyRemedy;
      if (use.isVendors) return vendorRemedy(seen);
      const { port, service } = failedAt(seen);
      return `Find out what listens on ${check.transport.toUpperCase()} ${port} of ${addressOf(seen)}, where this belongs: ${service}. A wrong port, or a device that answers in its place.`;
    }
    case 'tls-failed':
      if (use.isVendors) return vendorRemedy(seen);
      return `Look at the TLS settings of the service on port ${failedAt(seen).port} of ${addressOf(seen)}, or correct the port.`;
    case 'untrusted':
      return certificateRemedy(seen);
    case 'local':
      return (
        localRemedies[observation.code ?? ''] ??
        'Mend it on this machine, then run again: nothing was learned about the destination.'
      );
    case 'aborted':
      return 'Run again, with more time.';
  }
}

const addressOf = ({ check, observation }: Seen): string => observation.address ?? check.host;

/** The rule that a firewall team is asked for. */
function ruleFor(seen: Seen): string {
  const { check } = seen;
  return `${check.transport.toUpperCase()} ${failedAt(seen).port} from this machine to ${addressOf(seen)}`;
}

/** A check of several ports says in its evidence which one failed: the rule to ask for is that one's. */
function failedAt({ check: { port }, use: { service }, observation: { evidence } }: Seen): {
  port: number;
  service: string;
  isFound: boolean;
} {
  const { failed } = evidence;
  if (typeof failed === 'object' && failed !== null && 'port' in failed) {
    if (typeof failed['port'] === 'number' && typeof failed['service'] === 'string') {
      return { port: failed['port'], service: failed['service'], isFound: true };
    }
  }
  return { port, service, isFound: false };
}

const proxyRemedy = 'Check the proxy in the site file (proxy.url) or --proxy, and that this machine may reach it.';

function nameRemedy({ check: { host }, observation: { hint } }: Seen): string {
  return hint === 'no-such-name'
    ? `Check the spelling of ${host} in the site file, or add it to the DNS zone that this machine's resolvers serve.`
    : `Check the DNS servers in /etc/resolv.conf of this machine, and that they answer it; then ${host} itself.`;
}

function routeRemedy(seen: Seen): string {
  const { hint, code } = seen.observation;
  const address = addressOf(seen);
  if (hint === 'no-route') return `Add a route to ${address} on this machine (ip route get ${address}).`;
  if (hint === 'host-down') return powerRemedy(address);
  if (code === 'ENETUNREACH')
    return `Ask the network team for the way to ${address}: a router says that it has none (ip route get ${address} names the first).`;
  return `Ask the firewall team to allow ${ruleFor(seen)}; the destination's own host firewall may be the one that rejects it.`;
}

const powerRemedy = (address: string): string =>
  `Check that ${address} is powered on, has this address, and is on the right network.`;

function refusedRemedy(seen: Seen): string {
  const { use } = seen;
  const { port, service, isFound } = failedAt(seen);
  const otherwise = isFound
    ? 'or see why it is registered on a port where it is not'
    : 'or correct its port in the site file';
  const onPurpose = use.unless === null ? '' : ` If that is on purpose, say so in the site file: ${use.unless}.`;
  return `The way is open: start the service on ${addressOf(seen)} that belongs on port ${port} (${service}), ${otherwise}.${onPurpose}`;
}

function timeoutRemedy(seen: Seen): string {
  const { check, observation } = seen;
  const address = addressOf(seen);
  if (observation.stage === 'proxy') return proxyRemedy;
  if (observation.hint === 'host-down') return powerRemedy(address);
  if (observation.hint === 'host-silent')
    return `Check first that ${address} is powered on; if it is, have the firewall on it, or between, allow ${ruleFor(seen)}.`;
  if (check.transport === 'udp') return silenceRemedy(seen);
  if (observation.stage === 'connect') return `Ask the firewall team to allow ${ruleFor(seen)}, and the answers back.`;
  if (observation.stage === 'tls') {
    return `Look for a device between here and ${address} that inspects TLS, or a path whose packets must be smaller than this machine's (ping -M do -s 1472 ${address}), then at the service itself: it accepts and says nothing.`;
  }
  return `The way is open, but the service on ${address} accepts and stays mute: look at its load and its log.`;
}

function silenceRemedy(seen: Seen): string {
  const rule = `Allow ${ruleFor(seen)} and the answers back`;
  return seen.observation.hint === 'answer-due'
    ? `${rule}, and see that the service runs there (${seen.use.service}) and answers this machine: access lists answer with silence too.`
    : `${rule}, and check that the service answers this machine (access lists answer with silence too).`;
}

/** Nobody at this site mends the vendor's servers: what can be wrong on this side. */
function vendorRemedy(seen: Seen): string {
  const { check, observation } = seen;
  if (observation.address === null)
    return `Look at what answers for ${check.host} behind the proxy: a filter on the way, or an outage of the vendor's.`;
  return `Check that ${observation.address} is the vendor's address of ${check.host}, and that no firewall or filter on the way answers in its place; if both are so, it is an outage of the vendor's.`;
}

function certificateRemedy({ check: { host }, use, observation: { hint } }: Seen): string {
  switch (hint) {
    case 'clock':
      return 'Compare the clock of this machine with a time server first (the ntp row); if it is right, renew the certificate.';
    case 'intercepted':
      return 'Exempt this destination from TLS inspection, or install the inspecting CA where it is needed and name it under `trust`.';
    case 'unknown-issuer':
      return use.isVendors
        ? `Find out who answers for ${host} with a certificate of an issuer that no system knows: inspection on the way, or another server.`
        : 'Name the issuing CA under `trust` in the site file or with --ca, and install it on the hosts that use this service.';
    case 'wrong-name':
      return use.isVendors
        ? `Check that ${host} resolves to the vendor's address: another server answers for it.`
        : `Give the service a certificate for ${host}, or use the name that it has in the site file.`;
    default:
      return use.isVendors
        ? `See who answers for ${host} on the way: the vendor's own certificate would not have that fault.`
        : 'Have a certificate without that fault issued for the service.';
  }
}

const localRemedies: Readonly<Record<string, string>> = {
  EMFILE: 'Raise the limit of open files (ulimit -n) or lower --concurrency, then run again.',
  ENFILE: 'This machine has no file descriptors left: find out who holds them, then run again.',
  EADDRNOTAVAIL:
    'Wait until local ports are free again, widen net.ipv4.ip_local_port_range, or check --source-address.',
  EPERM: 'Open the outgoing rules of the firewall on this machine.',
  EACCES: 'Open the outgoing rules of the firewall on this machine, or run as a user who may send.',
};
