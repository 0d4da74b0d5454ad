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
  const rule = `${port} from ${from} to ${address}`;
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
      return `Ask for ${rule}; ${address} was listening and nothing came: it is dropped on the way, or by ${address}'s own firewall.${seenAs}`;
    case 'refused-on-the-way':
      return `Ask for ${rule}; ${address} was listening and saw nothing, so a firewall on the way or ${address}'s own refuses in its name.${seenAs}`;
    case 'middlebox':
      return `Find what accepts ${rule} in the name of ${address}, which saw nothing of it: a proxy, a load balancer, or a firewall that judges by application. Our bytes are not those of the service (${use.service}): such a firewall may treat the real ones differently.${seenAs}`;
    case 'held':
      return `A service on ${address} has ${port} and nothing there could look: name its log with --log, or start \`xenreach respond\` there with --capture, or join its receipts with \`xenreach merge\`.`;
  }
}

/** This machine, as the other end sees it. */
function sourceIn(evidence: Evidence): { readonly source: string | null; readonly isTranslated: boolean } {
  const { sourceSeen, nat } = pairIn(evidence) ?? {};
  return { source: typeof sourceSeen === 'string' ? sourceSeen : null, isTranslated: nat === true };
}
