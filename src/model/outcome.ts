/** What happened to a check. Closed lists: metric labels, JUnit types and scripts depend on them. */

export const outcomes = [
  'answered',
  'declined',
  'untrusted',
  'tls-failed',
  'garbled',
  'closed',
  'refused',
  'unreachable',
  'timeout',
  'unresolved',
  'local',
  'aborted',
] as const;
export type Outcome = (typeof outcomes)[number];

/** How far the conversation got. */
export const stages = ['resolve', 'proxy', 'connect', 'tls', 'exchange'] as const;
export type Stage = (typeof stages)[number];

/** A narrower cause where the bytes or the timing show one. */
export const hints = [
  'icmp-reject', // an administrative "no" arrived well before neighbour discovery could have failed
  'host-down', // nobody answered for the address on its own link
  'no-route', // this machine has no route to the address
  'host-silent', // nothing came from an address of this machine's own link, on any port
  'arrived', // nothing comes back, and the other end has what was sent
  'answer-due', // silence of a service that must answer, on a host that answered something else
  'proxy', // the failing peer is the HTTP proxy, not the destination
  'large-hello', // only a ClientHello that fits one TCP segment gets an answer
  'intercepted', // the certificate of a public name was issued by somebody else
  'clock', // the certificate is fine at another time: one of the clocks is wrong
  'wrong-name',
  'unknown-issuer',
  'no-such-name',
  'resolver-silent',
  'stand-in', // a responder at the other end answered, in place of the service
  'arrived', // no answer came, and the other end saw what was sent
  'not-arrived', // the other end listened, and nothing came
  'refused-on-the-way', // a refusal, and the other end listened and saw nothing
  'middlebox', // something accepted the connection, and the other end saw none
  'held', // a service has the port, and nothing at the other end could look
] as const;
export type Hint = (typeof hints)[number];

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What the peer told us, under names that scripts may rely on. */
export type Evidence = Readonly<Record<string, Json>>;

/** What a probe returns: the peer spoke the protocol and said yes, or said no. Everything else is thrown. */
export interface Answer {
  readonly outcome: 'answered' | 'declined';
  readonly detail: string;
  readonly evidence: Evidence;
  /** What to do about it, where the probe knows more than the outcome tells. */
  readonly remedy?: string;
}

/** The peer spoke the protocol and said yes. */
export const answered = (detail: string, evidence: Evidence = {}): Answer => ({
  outcome: 'answered',
  detail,
  evidence,
});

/** The peer spoke the protocol and said no. */
export const declined = (detail: string, evidence: Evidence = {}, remedy?: string): Answer => ({
  outcome: 'declined',
  detail,
  evidence,
  ...(remedy !== undefined && { remedy }),
});

/** One check's outcome, with when and where: the only thing the run floor produces. */
export interface Observation {
  readonly check: string;
  /** The address that was tried; null when the name gave none. */
  readonly address: string | null;
  readonly outcome: Outcome;
  readonly stage: Stage | null;
  readonly hint: Hint | null;
  /** The system's or library's own word, such as ECONNREFUSED. */
  readonly code: string | null;
  /** One line for a person: what happened, not where. */
  readonly detail: string;
  /** What to do about it, as the one who saw it said; null leaves it to the judge. */
  readonly remedy: string | null;
  /** Good news with a "but": each turns a passing check into a warning. */
  readonly warnings: readonly string[];
  /** Told in the report, and changing no verdict. */
  readonly notes: readonly string[];
  readonly attempts: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly evidence: Evidence;
}

/** What the other end of a pair knows of a check, under the key `pair` of its evidence; null where there is none. */
export function pairIn({ pair }: Evidence): { readonly [key: string]: Json } | null {
  return isMapping(pair) ? pair : null;
}

const isMapping = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
