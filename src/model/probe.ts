/** What a probe is, and everything it may touch. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Answer, Evidence } from './outcome.ts';

export type Transport = 'tcp' | 'udp';

/** Where the packets go. */
export interface Target {
  /** As the site names it: what a certificate must say. */
  readonly host: string;
  /** The literal address; the same as `host` for a host behind a proxy. */
  readonly address: string;
  readonly port: number;
  readonly transport: Transport;
}

/**
 * A byte stream that the net floor opened. Its methods reject with a NetError (the peer closed, reset, or the deadline
 * passed) and nothing else, except that a delimiter that does not come within the limit is a DecodeError.
 */
export interface Conn {
  /** Resolves when the bytes are handed to the system. */
  write(bytes: Uint8Array): Promise<void>;
  /** Exactly `length` bytes. The caller has checked `length` against its own bound. */
  read(length: number): Promise<Uint8Array>;
  /** Up to and including `delimiter`, at most `maxBytes`. */
  readUntil(delimiter: Uint8Array, maxBytes: number): Promise<Uint8Array>;
  /** What is there, once something is: 1 to `maxBytes` bytes. */
  readSome(maxBytes: number): Promise<Uint8Array>;
  /** Says goodbye (the bytes, then FIN) and waits a moment for the peer's own FIN. Never rejects. */
  end(lastBytes?: Uint8Array): Promise<void>;
}

/** How a certificate is judged: `verify` ends in `untrusted` when it is not acceptable, `observe` only records it. */
export type Trust = 'verify' | 'observe';

export interface SecureOptions {
  /** SNI and, with `verify`, the name the certificate must hold. Default: the target's host. */
  readonly servername?: string;
  readonly trust?: Trust;
  /** The server may have no certificate at all (anonymous key exchange, up to TLS 1.2). */
  readonly allowsAnonymous?: boolean;
  /** Instead of its name and issuer: it is one of these, SHA-256 in hex. */
  readonly pins?: readonly string[] | undefined;
  /** The name is a public one, so a private issuer means interception. */
  readonly isPublicName?: boolean;
  /** Evidence is recorded under this prefix: `certificate` gives `certificate.subject` and so on. */
  readonly evidenceName?: string;
}

/** A request without a body; `Host` is the net floor's to write. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
}

export interface ExchangeOptions {
  readonly port?: number;
  /** Cap on resends for servers that punish impatience. */
  readonly maxSends?: number;
  /** However few resends the run is to make: where silence is to prove something. */
  readonly leastSends?: number;
  /** Somebody listens there who answers: no ICMP error is to be expected, and none to be waited for. */
  readonly isUnpaced?: boolean;
  /** The shortest pause before a resend. */
  readonly pauseMs?: number;
}

/** A datagram's answer; times are milliseconds since the epoch with fractions, taken at the socket. */
export interface Reply {
  readonly bytes: Uint8Array;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  /** How often the datagram had been sent by then. */
  readonly sends?: number;
}

/** Everything a probe may touch: it is made for one attempt at one check. Tests hand in a scripted one. */
export interface ProbeIo {
  /** TCP to the target's address (through the proxy where the check says so); another port of the same host on request. */
  connect(options?: { readonly port?: number }): Promise<Conn>;
  /**
   * Sends a request for plain HTTP and gives the connection that its answer comes on: to the target, or handed on by the
   * proxy where the check goes through one (in absolute form, with its credentials when it asks for them).
   */
  ask(request: HttpRequest): Promise<Conn>;
  /** TLS on a connection. The chain and the protocol become evidence, also and most of all when it fails. */
  secure(conn: Conn, options?: SecureOptions): Promise<Conn>;
  /** Sends one datagram (again while nothing comes) and resolves with the first reply that `accepts` takes. */
  exchange(datagram: Uint8Array, accepts: (reply: Uint8Array) => boolean, options?: ExchangeOptions): Promise<Reply>;
  /** The addresses of a name by the system's own configuration: hosts file, then DNS. */
  resolve(name: string): Promise<readonly string[]>;
  /** What is asked may take this share (0 to 1) of the time that is left; then it rejects with a timeout of its own. */
  within<T>(share: number, ask: () => Promise<T>): Promise<T>;
  /** Waits, watching the connection: true when the peer closed it within `ms`. */
  closesWithin(conn: Conn, ms: number): Promise<boolean>;
  /** Keeps evidence whatever happens next. */
  record(evidence: Evidence): void;
  /** Turns a pass into a warning: "the certificate ends in 9 days". */
  warn(text: string): void;
  /** Told in the report, changes nothing. */
  note(text: string): void;
  random(length: number): Uint8Array;
  /** Milliseconds since the epoch, with fractions. */
  now(): number;
}

export interface About {
  readonly title: string;
  readonly sends: string;
  readonly proves: string;
  /** What the server's administrator will see of it. */
  readonly leaves: string;
  readonly reference: string;
  /** Whose demands decide, and where they are written down: what that client would refuse is no pass. */
  readonly client?: string;
}

/** A gauge, made of a number in the evidence. */
export interface Metric {
  /** In the units of Prometheus, without the prefix of the program: `ntp_offset_seconds`. */
  readonly name: string;
  readonly help: string;
  /** The key of the number, and how many of its unit make one of the metric's. */
  readonly evidence: string;
  readonly perUnit: number;
}

export interface Probe<S extends StandardSchemaV1 = StandardSchemaV1> {
  /** `either`: the spec says which transport it wants proven. */
  readonly transport: Transport | 'either';
  /** The IANA port, used when neither spec nor command line names one; 0 where there is none. */
  readonly port: number;
  /** False where the target is a name, not an address. */
  readonly perAddress?: false;
  /**
   * For a service that may well stay silent: where to look for the proof that silence is not. Absent: an answer is due, and
   * a client of the service cannot do without one.
   */
  onSilence?(target: Pick<Target, 'address' | 'port'>): string;
  /**
   * Options by which what is sent can be found again in a log at the other end, where somebody looks. The probe then
   * records the `mark` that it sent.
   */
  readonly traceable?: Readonly<Record<string, unknown>>;
  readonly about: About;
  readonly options: S;
  /** With this scheme any web client asks the same: a script without xenreach may. */
  readonly scheme?: 'http' | 'https';
  /** Numbers among the evidence that are worth a series of their own. */
  readonly metrics?: readonly Metric[];
  /**
   * Loads the library that the conversation needs. A run does it before its first packet: tens of milliseconds of loading
   * in the middle would be measured as the network's.
   */
  load?(): Promise<unknown>;
  /**
   * The answer that a completed TCP handshake is by itself, with these options; undefined when the probe has more to say.
   * Such checks go by thousands, so the run connects for them without making a ProbeIo.
   */
  answerOnConnect?(options: StandardSchemaV1.InferOutput<S>): Answer | undefined;
  run(io: ProbeIo, target: Target, options: StandardSchemaV1.InferOutput<S>): Promise<Answer>;
}

export type ProbeOptions = Readonly<Record<string, unknown>>;

/** What a probe's schema made of the options: a mapping, as every such schema describes one. */
export function optionsOf(parsed: unknown): ProbeOptions {
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('the options of a probe are a mapping');
  return { ...parsed };
}

/** Infers the option types of a probe from its schema. */
export function defineProbe<S extends StandardSchemaV1>(probe: Probe<S>): Probe<S> {
  return probe;
}

/** What a protocol does on both transports; its `run` finds its own in the target. */
type Common<S extends StandardSchemaV1> = Omit<Probe<S>, 'transport' | 'about'> & {
  readonly about: Omit<About, 'title' | 'reference'>;
};

interface Difference<S> {
  readonly about: Pick<About, 'title' | 'reference'> & Partial<About>;
  readonly options?: S;
}

/** One protocol on two transports: one definition, which is listed under two names. */
export function defineTwins<S extends StandardSchemaV1>(
  common: Common<S>,
  differences: Readonly<Record<Transport, Difference<S>>>,
): Readonly<Record<Transport, Probe<S>>> {
  const over = (transport: Transport): Probe<S> => ({
    ...common,
    ...differences[transport],
    transport,
    about: { ...common.about, ...differences[transport].about },
  });
  return { tcp: over('tcp'), udp: over('udp') };
}
