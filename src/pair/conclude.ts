/** What was seen from here and what the other end saw, together: the hint, the evidence and the words. Pure. */
import { pairIn, type Hint, type Json, type Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import type { Port, Receipt } from '../wire/pair.ts';
import type { Holding } from './ends.ts';
import { leastSends, type Sizes } from './talk.ts';

export interface OtherEnd {
  readonly as: Holding;
  /** Undefined where it could not be asked. */
  readonly receipt: Receipt | undefined;
  /** Over which port it was asked. */
  readonly way: Port | undefined;
  /** This machine, as the other end sees it. */
  readonly source: string | null;
  /** Such an address is none of this machine's own. */
  readonly isTranslated: (address: string | null) => boolean;
}

/** Whether the other end has anything to say about it: all on its own ports, and silence on those of a service. */
export function isSettledBy({ transport }: Check, { outcome }: Observation, as: Holding): boolean {
  if (outcome === 'local' || outcome === 'aborted') return false;
  return as === 'bound' || (transport === 'udp' && outcome === 'timeout');
}

export function concluded(check: Check, observation: Observation, other: OtherEnd): Observation {
  if (observation.outcome === 'answered') return standIn(observation, other);
  const { way, as } = other;
  const receipt = other.receipt && ownReceipt(check, observation, other.receipt);
  const source = receipt && receipt.seen > 0 && receipt.proof === 'receipt' ? receipt.source : other.source;
  const nat = other.isTranslated(source);
  const sent = check.transport === 'tcp' ? 1 : observation.attempts;
  const seen = receipt?.seen ?? 0;
  const found = receipt && hintFor(check, observation, receipt, as);
  const proof = receipt?.proof ?? 'none';
  const pair: Record<string, Json> = {
    ...{ port: as, proof: proof === 'none' && as === 'bound' && receipt ? 'receipt' : proof, sent, seen },
    ...{ sourceSeen: source, nat, back: false, asked: way ? `${way.transport} ${way.port}` : null },
  };
  const told = { ...observation, evidence: { ...observation.evidence, pair } };
  if (!receipt) return unasked(told, check, as);
  if (!found) return told;
  return {
    ...told,
    hint: found,
    remedy: null,
    detail: `${observation.detail}; ${wordsFor(found, receipt, sent, check)}${nat ? translatedText(source) : ''}`,
  };
}

/** A responder answered where the service will be. */
function standIn(observation: Observation, { isTranslated }: OtherEnd): Observation {
  const pair = pairIn(observation.evidence) ?? {};
  const source = typeof pair['sourceSeen'] === 'string' ? pair['sourceSeen'] : null;
  const nat = isTranslated(source);
  return {
    ...observation,
    hint: 'stand-in',
    detail: `${observation.detail}${nat ? translatedText(source) : ''}`,
    evidence: { ...observation.evidence, pair: { ...pair, nat } },
  };
}

const translatedText = (source: string | null): string =>
  `, seen as ${source} there: addresses are translated on the way`;

/** A connection that was never made here is somebody else's there, when nothing of this check came in on it. */
function ownReceipt({ transport }: Check, { stage }: Observation, receipt: Receipt): Receipt {
  return transport === 'tcp' && stage === 'connect' && receipt.bytes === 0 ? { ...receipt, seen: 0 } : receipt;
}

/** Nothing is concluded from what could not be asked. */
function unasked(observation: Observation, { transport, isAnswerDue }: Check, as: Holding): Observation {
  const words = 'none of the ports that the responder holds could be asked what came';
  if (as === 'held' && transport === 'udp' && !isAnswerDue)
    return {
      ...observation,
      hint: 'held',
      remedy: null,
      detail: `${observation.detail}; a service holds the port, and ${words}`,
    };
  return { ...observation, notes: [...observation.notes, `${words}: has it ended?`] };
}

function hintFor(
  check: Check,
  { outcome, stage, attempts }: Observation,
  receipt: Receipt,
  as: Holding,
): Hint | undefined {
  const isSeen = receipt.seen > 0;
  if (as === 'held') return isSeen ? 'arrived' : check.isAnswerDue ? undefined : 'held';
  if (outcome === 'refused') return isSeen ? undefined : 'refused-on-the-way';
  if (check.transport === 'udp') {
    if (outcome !== 'timeout') return undefined;
    return isSeen ? 'arrived' : attempts >= leastSends ? 'not-arrived' : undefined;
  }
  if (outcome === 'timeout' && stage === 'connect') return isSeen ? undefined : 'not-arrived';
  if (outcome !== 'timeout' && outcome !== 'closed' && outcome !== 'garbled') return undefined;
  return isSeen && receipt.bytes > 0 ? 'arrived' : 'middlebox';
}

function wordsFor(hint: Hint, { seen, proof, bytes }: Receipt, sent: number, { transport }: Check): string {
  switch (hint) {
    case 'arrived':
      return proof === 'receipt'
        ? transport === 'tcp'
          ? 'the other end had the message and answered'
          : `the other end saw ${Math.min(seen, sent)} of ${sent}`
        : proofWords[proof];
    case 'not-arrived':
      return transport === 'tcp'
        ? 'the other end was listening and saw no connection'
        : `the other end was listening and saw 0 of ${sent}`;
    case 'refused-on-the-way':
      return 'the other end was listening and saw nothing: somebody else refused';
    case 'middlebox':
      return seen > 0 && bytes === 0
        ? 'the other end saw a connection, and none of the bytes sent on it'
        : 'the other end was listening and saw no connection: somebody else accepted it';
    default:
      return 'a service holds the port, and nothing at the other end saw it come';
  }
}

const proofWords: Readonly<Record<Receipt['proof'], string>> = {
  none: 'nothing is known of it there',
  receipt: 'the other end saw it',
  log: "the message is in the collector's log",
  conntrack: "it is in the other end's connection table",
  capture: "a capture saw it at the other end's interface, before its own firewall",
};

/** How large a packet gets through; of one that vanishes without a word everybody who sends large ones should know. */
export function withSizes(observation: Observation, { transport }: Check, sizes: Sizes): Observation {
  const pair = pairIn(observation.evidence);
  if (transport !== 'udp' || pair === null) return observation;
  const evidence = { ...observation.evidence, pair: { ...pair, mtu: { ...sizes } } };
  if (!sizes.blackHole) return { ...observation, evidence };
  const way = sizes.there > sizes.back ? 'on the way back' : 'on the way there';
  const warning = `datagrams of more than ${Math.min(sizes.there, sizes.back)} bytes vanish ${way}, and no router says so (a path MTU black hole)`;
  return { ...observation, evidence, warnings: [...observation.warnings, warning] };
}

/** Something of the other end's that came here. */
export interface BackArrival extends Port {
  readonly nonce: string;
  readonly from: string;
  readonly seen: number;
}

interface Back {
  /** Over which port the other end was asked to probe; undefined where it could not be. */
  readonly way: Port | undefined;
  readonly arrival: BackArrival | undefined;
  /** The other end's own addresses. */
  readonly from: readonly string[];
}

/** What the other end sends to a port of ours. */
export const sentTo = ({ transport }: Check): number => (transport === 'tcp' ? 1 : leastSends);

/** The other end probed this machine: what came of it. */
export function arrivedBack(check: Check, observation: Observation, { way, arrival, from }: Back): Observation {
  const { transport, port } = check;
  const sent = sentTo(check);
  const source = arrival?.from ?? from[0] ?? null;
  const nat = arrival !== undefined && !from.includes(arrival.from);
  const asked = way ? `${way.transport} ${way.port}` : null;
  const seen = arrival?.seen ?? 0;
  const pair = {
    ...{ port: 'bound', proof: 'receipt', sent, seen, sourceSeen: source, nat },
    back: arrival !== undefined,
    asked,
  };
  const told = { ...observation, evidence: { ...observation.evidence, pair }, remedy: null };
  if (!way) {
    const detail = 'the other end could not be asked to probe this machine: none of the ports that it holds works';
    return { ...told, outcome: 'local', stage: null, hint: null, detail };
  }
  if (arrival) {
    const what =
      transport === 'tcp' ? 'the connection arrived' : `${Math.min(seen, sent)} of ${sent} datagrams arrived`;
    const detail = `a stand-in here was probed by the other end: ${what}${nat ? translatedText(source) : ''}`;
    return { ...told, outcome: 'answered', stage: null, hint: 'stand-in', detail };
  }
  const stage = transport === 'tcp' ? 'connect' : 'exchange';
  const detail = `the other end probed ${transport} ${port} of this machine, which was listening and saw nothing`;
  return { ...told, outcome: 'timeout', stage, hint: 'not-arrived', detail };
}
