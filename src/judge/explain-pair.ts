/** What to do where both ends were looked at: the side that it is on, and the rule with the address that it must name. */
import { pairIn, type Evidence, type Hint } from '../model/outcome.ts';
import type { Seen } from './explain.ts';
import { proofOf } from './table.ts';

export const pairHints = ['stand-in', 'arrived', 'not-arrived', 'refused-on-the-way', 'middlebox', 'held'] as const;
export type PairHint = (typeof pairHints)[number];

export const isOfPair = (hint: Hint | null): hint is PairHint => pairHints.some((each) => each === hint);

export function pairRemedy({ check, use, observation }: Seen, hint: PairHint): string | null {
  const address = observation.address ?? check.host;
  const port = `${check.transport.toUpperCase()} ${check.port}`;
  const { source, isTranslated } = sourceIn(observation.evidence);
  const from = source ?? 'this machine';
  const seenAs = isTranslated ? ` Seen as ${source} there: rules must name that address.` : '';
  switch (hint) {
    case 'stand-in':
      return use.oneWay
        ? null
        : `The way is open, and a stand-in answers: start the service on ${address} that belongs on port ${check.port} (${use.service}), then check without the pair.`;
    case 'arrived':
      if (use.oneWay && proofOf(observation) !== 'capture') return null;
      return proofOf(observation) === 'capture'
        ? `It reaches the interface of ${address}: see that the firewall on ${address} itself lets ${port} from ${from} in.${seenAs}`
        : `${port} from ${from} gets to ${address}; ask for the way back: answers from ${address}, ${check.transport.toUpperCase()} source port ${check.port}, to ${from}.${seenAs}`;
    case 'not-arrived':
    case 'refused-on-the-way':
      return ruleRemedy(hint, port, address, observation.evidence);
    case 'middlebox':
      return `Find what accepts ${port} from ${from} to ${address} in the name of ${address}, which saw nothing of it: a proxy, a load balancer, or a firewall that judges by application. Our bytes are not those of the service (${use.service}): such a firewall may treat the real ones differently.${seenAs}`;
    case 'held':
      return `A service on ${address} has ${port} and nothing there could look: name its log with --log, or start \`xenreach respond\` there with --capture, or join its receipts with \`xenreach merge\`.`;
  }
}

/** The rule to ask for, of one port or several. */
function ruleRemedy(
  hint: 'not-arrived' | 'refused-on-the-way',
  ports: string,
  address: string,
  evidence: Evidence,
): string {
  const { source, isTranslated } = sourceIn(evidence);
  const seenAs = isTranslated ? ` Seen as ${source} there: rules must name that address.` : '';
  const what =
    hint === 'not-arrived'
      ? `${address} was listening and nothing came: it is dropped on the way, or by ${address}'s own firewall`
      : `${address} was listening and saw nothing, so a firewall on the way or ${address}'s own refuses in its name`;
  return `Ask for ${ports} from ${source ?? 'this machine'} to ${address}; ${what}.${seenAs}`;
}

/** Of several ports of one host: what happened, and the one rule that mends it; null where the rows themselves say it best. */
export function ofPorts(
  what: string,
  {
    where,
    address,
    ports,
    evidence,
  }: Readonly<Record<'where' | 'address' | 'ports', string>> & { readonly evidence: Evidence },
): { readonly text: string; readonly remedy: string | null } | null {
  switch (what) {
    case 'stand-in':
      return {
        text: `a stand-in answers on ${ports} of ${where}: the way is open, the services are not there`,
        remedy: null,
      };
    case 'arrived':
      return {
        text: `what is sent to ${ports} of ${where} gets there, and the answers do not come back`,
        remedy: null,
      };
    case 'not-arrived':
      return {
        text: `${where} was listening on ${ports}, and nothing came`,
        remedy: ruleRemedy(what, ports, address, evidence),
      };
    case 'refused-on-the-way':
      return {
        text: `somebody refuses ${ports} in the name of ${where}`,
        remedy: ruleRemedy(what, ports, address, evidence),
      };
    case 'middlebox':
      return { text: `somebody accepts ${ports} in the name of ${where}`, remedy: null };
    default:
      return null;
  }
}

/** This machine, as the other end sees it. */
function sourceIn(evidence: Evidence): { readonly source: string | null; readonly isTranslated: boolean } {
  const { sourceSeen, nat } = pairIn(evidence) ?? {};
  return { source: typeof sourceSeen === 'string' ? sourceSeen : null, isTranslated: nat === true };
}
