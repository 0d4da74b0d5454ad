/** A ProbeIo that plays back recorded bytes and fails when the probe departs from the script. */
import { NetError } from '../../src/model/errors.ts';
import type { Json } from '../../src/model/outcome.ts';
import type { Conn, Probe, ProbeIo, Target } from '../../src/model/probe.ts';
import { DecodeError } from '../../src/wire/reader.ts';

/** What the probe must send (hex, spaces ignored; "" when the server speaks first; absent: anything) and what comes back. */
export interface Step {
  readonly send?: string;
  readonly reply: string;
  /** The peer closes after this reply. */
  readonly closes?: boolean;
  /** The port of the same host this step is on, when it is not the target's. */
  readonly port?: number;
}

export interface Script {
  readonly steps: readonly Step[];
  /** What `random` gives, in order (hex). Without it: bytes of 0xab. */
  readonly random?: readonly string[];
  /** What `now` says, in milliseconds since the epoch. */
  readonly now?: number;
  readonly target?: Target;
}

export interface ScriptedIo extends ProbeIo {
  readonly evidence: Record<string, Json>;
  readonly warnings: string[];
  readonly notes: string[];
  /** What was said on `end`, and every sent message, in hex. */
  readonly sent: string[];
}

export function scriptedIo(script: Script): ScriptedIo {
  const random = [...(script.random ?? [])];
  const steps = [...script.steps];
  const sent: string[] = [];
  const hasClosed = new WeakMap<Conn, () => boolean>();
  const io: ScriptedIo = {
    evidence: {},
    warnings: [],
    notes: [],
    sent,
    connect: ({ port } = {}) => Promise.resolve(scriptedConn(takeConversation(port))),
    ask: async ({ method, path, headers }) => {
      const conn = await io.connect();
      await conn.write(Buffer.from([`${method} ${path} HTTP/1.1`, ...headers, '', ''].join('\r\n'), 'latin1'));
      return conn;
    },
    secure: (conn) => Promise.resolve(conn),
    exchange: async (datagram, accepts, { port } = {}) => {
      const step = takeSteps(port, 1)[0];
      const hex = Buffer.from(datagram).toString('hex');
      sent.push(hex);
      if (!step) throw silence();
      expectSent(step, hex);
      const bytes = bytesOf(step.reply);
      if (step.reply === '' || !accepts(bytes)) throw silence();
      await Promise.resolve();
      return { bytes, sentAtMs: io.now(), receivedAtMs: io.now() + 1 };
    },
    resolve: () => Promise.resolve(['192.0.2.1']),
    within: (_share, ask) => ask(),
    closesWithin: (conn) => Promise.resolve(hasClosed.get(conn)?.() ?? false),
    record: (evidence) => void Object.assign(io.evidence, evidence),
    warn: (text) => void io.warnings.push(text),
    note: (text) => void io.notes.push(text),
    random: (length) => {
      const next = random.shift();
      const bytes = next === undefined ? new Uint8Array(length).fill(0xab) : bytesOf(next);
      if (bytes.length !== length)
        throw new Error(`the script has ${bytes.length} random bytes, the probe wants ${length}`);
      return bytes;
    },
    now: () => script.now ?? 0,
  };
  return io;

  /** A connection has the steps up to where the peer closes; what follows is for the next one. */
  function takeConversation(port: number | undefined): Step[] {
    const closing = steps.filter((step) => (step.port ?? port) === port).findIndex((step) => step.closes);
    return takeSteps(port, closing < 0 ? steps.length : closing + 1);
  }

  function takeSteps(port: number | undefined, count = steps.length): Step[] {
    const mine = steps.filter((step) => (step.port ?? port) === port).slice(0, count);
    for (const step of mine) steps.splice(steps.indexOf(step), 1);
    return mine;
  }

  function scriptedConn(mine: Step[]): Conn {
    let pending: Uint8Array = new Uint8Array();
    let written = '';
    let closed = false;
    const advance = (): void => {
      while (!closed && mine[0]) {
        const want = mine[0].send === undefined ? undefined : clean(mine[0].send);
        if (want === undefined ? written === '' : written.length < want.length) return;
        const step = mine.shift()!;
        expectSent(step, want === undefined ? written : written.slice(0, want.length));
        written = want === undefined ? '' : written.slice(want.length);
        pending = Buffer.concat([pending, bytesOf(step.reply)]);
        closed = step.closes === true;
      }
    };
    const take = (length: number): Promise<Uint8Array> => {
      const bytes = pending.subarray(0, length);
      pending = pending.subarray(length);
      return Promise.resolve(new Uint8Array(bytes));
    };
    const short = (): Promise<never> => Promise.reject(closed ? gone() : silence());
    const conn: Conn = {
      write: (bytes) => {
        const hex = Buffer.from(bytes).toString('hex');
        sent.push(hex);
        written += hex;
        advance();
        return Promise.resolve();
      },
      read: (length) => {
        advance();
        return pending.length < length ? short() : take(length);
      },
      readUntil: (delimiter, maxBytes) => {
        advance();
        const at = Buffer.from(pending).indexOf(delimiter);
        if (at >= 0 && at + delimiter.length <= maxBytes) return take(at + delimiter.length);
        if (pending.length >= maxBytes) return Promise.reject(new DecodeError(`no delimiter in ${maxBytes} bytes`, 0));
        return short();
      },
      readSome: (maxBytes) => {
        advance();
        return pending.length === 0 ? short() : take(Math.min(maxBytes, pending.length));
      },
      end: (bytes) => {
        if (bytes) sent.push(Buffer.from(bytes).toString('hex'));
        return Promise.resolve();
      },
    };
    hasClosed.set(conn, () => {
      advance();
      return closed;
    });
    return conn;
  }
}

/** Any bytes at all as the peer's whole speech, closed behind it: for property tests of whole probes. */
export function babble(bytes: Uint8Array): ScriptedIo {
  const hex = Buffer.from(bytes).toString('hex');
  return scriptedIo({ steps: [{ send: '', reply: hex, closes: true }, { reply: hex }] });
}

function expectSent(step: Step, hex: string): void {
  const want = step.send === undefined ? hex : clean(step.send);
  if (hex !== want) throw new Error(`the script wants ${want}, the probe sent ${hex}`);
}

const clean = (hex: string): string => hex.replaceAll(/\s/g, '');
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(clean(hex), 'hex'));
const silence = (): NetError => new NetError({ outcome: 'timeout', stage: 'exchange', detail: 'nothing came' });
const gone = (): NetError => new NetError({ outcome: 'closed', stage: 'exchange', detail: 'the peer closed' });

/** What a probe is run with for a recorded conversation: its options checked as a spec's are, and where the peer stands. */
export async function setUp(
  probe: Probe,
  { options, target }: Script & { readonly options: object },
): Promise<{ readonly target: Target; readonly options: unknown }> {
  const parsed = await probe.options['~standard'].validate(options);
  if (parsed.issues) throw new Error(`bad options: ${JSON.stringify(parsed.issues)}`);
  const transport = probe.transport === 'either' ? 'tcp' : probe.transport;
  const usual = { host: 'peer.test', address: '192.0.2.1', port: probe.port, transport };
  return { target: { ...usual, ...target }, options: parsed.value };
}
