/** From an outcome to a sentence: which layer failed, and what to do about it on which side. Data first, words second. */
import type { Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';

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

type Seen = Pick<Observation, 'outcome' | 'stage' | 'hint' | 'code'>;

export function layerOf({ outcome, stage, hint }: Seen): Layer {
  if (hint === 'proxy' || stage === 'proxy') return 'proxy';
  switch (outcome) {
    case 'unresolved':
      return 'name';
    case 'unreachable':
      return hint === 'icmp-reject' || hint === null ? 'firewall' : 'route';
    case 'timeout':
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

/** What to do next, and on which side. Null where there is nothing to do. */
export function remedyFor(check: Check, observation: Observation): string | null {
  return observation.remedy ?? derivedRemedy(check, observation);
}

function derivedRemedy(check: Check, observation: Observation): string | null {
  const { transport, host } = check;
  const { port, service } = failedAt(check, observation);
  const address = observation.address ?? host;
  const rule = `${transport.toUpperCase()} ${port} from this machine to ${address}`;
  switch (observation.outcome) {
    case 'answered':
      return observation.hint === 'large-hello'
        ? `Have the firewall team look for a device between here and ${address} that drops a TLS hello of two TCP segments: current clients send one.`
        : null;
    case 'unresolved':
      if (observation.hint === 'proxy') return proxyRemedy;
      return observation.hint === 'no-such-name'
        ? `Check the spelling of ${host} in the site file, or add it to the DNS zone that this machine's resolvers serve.`
        : `Check the DNS servers in /etc/resolv.conf of this machine, and that port 53 to them is open; then ${host} itself.`;
    case 'unreachable':
      if (observation.hint === 'proxy') return proxyRemedy;
      if (observation.hint === 'no-route')
        return `Add a route to ${address} on this machine (ip route get ${address}).`;
      if (observation.hint === 'host-down')
        return `Check that ${address} is powered on, has this address, and is on the right network.`;
      return `Ask the firewall team to allow ${rule}; the destination's own host firewall may be the one that rejects it.`;
    case 'refused':
      if (observation.hint === 'proxy') return proxyRemedy;
      return `The way is open: start the ${service} service on ${address}, or correct its port in the site file.`;
    case 'timeout':
      if (observation.hint === 'proxy' || observation.stage === 'proxy') return proxyRemedy;
      if (transport === 'udp') return silenceRemedy(check, address);
      if (observation.stage === 'connect') return `Ask the firewall team to allow ${rule}, and the answers back.`;
      if (observation.stage === 'tls') {
        return `Look for a device between here and ${address} that inspects TLS, then at the service itself: it accepts and says nothing.`;
      }
      return `The way is open, but the service on ${address} accepts and stays mute: look at its load and its log.`;
    case 'closed':
      if (observation.stage === 'proxy') return proxyRemedy;
      return `Something on ${address} accepts and hangs up: look at the service's log and its access list, or for a load balancer without a back end.`;
    case 'declined':
      return observation.stage === 'proxy'
        ? proxyRefusalRemedy(observation)
        : `The service on ${address} is there and says no: its configuration or its log has the reason.`;
    case 'garbled':
      if (observation.stage === 'proxy') return proxyRemedy;
      return `Find out what listens on ${transport.toUpperCase()} ${port} of ${address}: it is not ${service}. A wrong port, or a device that answers in its place.`;
    case 'tls-failed':
      return `Make the service on ${address} speak TLS 1.2 or later on port ${port}, or correct the port.`;
    case 'untrusted':
      return certificateRemedy(observation, host);
    case 'local':
      return (
        localRemedies[observation.code ?? ''] ??
        'Mend it on this machine, then run again: nothing was learned about the destination.'
      );
    case 'aborted':
      return 'Run again, with more time.';
  }
}

/** A check of several ports says in its evidence which one failed: the rule to ask for is that one's. */
function failedAt({ port, probe }: Check, { evidence }: Observation): { port: number; service: string } {
  const { failed } = evidence;
  if (typeof failed === 'object' && failed !== null && 'port' in failed) {
    if (typeof failed['port'] === 'number' && typeof failed['service'] === 'string') {
      return { port: failed['port'], service: failed['service'] };
    }
  }
  return { port, service: probe };
}

const proxyRemedy = 'Check the proxy in the site file (proxy.url) or --proxy, and that this machine may reach it.';

function proxyRefusalRemedy({ code }: Observation): string {
  if (code === 'HTTP_407' || code === 'HTTP_401') {
    return 'Give the proxy its credentials: proxy.username and proxy.passwordFile in the site file, or XENREACH_PROXY_PASSWORD.';
  }
  if (code === 'HTTP_403') return 'Ask the proxy team to allow this destination for this machine.';
  return 'Ask the proxy team why the proxy itself cannot reach this destination: its own DNS, route or firewall.';
}

function certificateRemedy({ hint }: Observation, host: string): string {
  switch (hint) {
    case 'clock':
      return 'Compare the clock of this machine with a time server first (the ntp row); if it is right, renew the certificate.';
    case 'intercepted':
      return 'Exempt this destination from TLS inspection, or install the inspecting CA where it is needed and name it under `trust`.';
    case 'unknown-issuer':
      return 'Name the issuing CA under `trust` in the site file or with --ca, and install it on the hosts that use this service.';
    case 'wrong-name':
      return `Give the service a certificate for ${host}, or use the name that it has in the site file.`;
    default:
      return 'Renew the certificate of the service.';
  }
}

function silenceRemedy({ probe, port }: Check, address: string): string {
  if (probe === 'syslog')
    return `Syslog is one-way: look for a message from this machine in the collector on ${address}.`;
  if (probe === 'udp')
    return `UDP ${port} answers nobody by design: prove it from the other end (a capture on ${address}, or the service's own state).`;
  return `Allow UDP ${port} to ${address} and the answers back, and check that the service answers this machine (access lists answer with silence too).`;
}

const localRemedies: Readonly<Record<string, string>> = {
  EMFILE: 'Raise the limit of open files (ulimit -n) or lower --concurrency, then run again.',
  ENFILE: 'This machine has no file descriptors left: find out who holds them, then run again.',
  EADDRNOTAVAIL:
    'Wait until local ports are free again, widen net.ipv4.ip_local_port_range, or check --source-address.',
  EPERM: 'Open the outgoing rules of the firewall on this machine.',
  EACCES: 'Open the outgoing rules of the firewall on this machine, or run as a user who may send.',
};
