/**
 * A conversation on its way into fixtures/wire: what a probe sent and what came back, in the form that the tests play back.
 * The clock stands still while it is recorded, as it does when it is played back, so that both give the same answer.
 */
import { endedAs } from '../model/errors.ts';
import type { Answer, Evidence, Outcome } from '../model/outcome.ts';
import type { Conn, Probe, ProbeIo, ProbeOptions, Target } from '../model/probe.ts';

interface Step {
  readonly port?: number;
  send: string;
  reply: string;
  closes?: true;
}

export interface Conversation {
  readonly about: { readonly server: string; readonly version: string };
  readonly options: ProbeOptions;
  readonly target: Target;
  readonly random: readonly string[];
  readonly now: number;
  readonly steps: readonly Readonly<Step>[];
  readonly answer: Partial<Answer> | { readonly outcome: Outcome; readonly evidence: Evidence };
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

export interface Recording {
  readonly probe: Probe;
  /** The last conversation in which a byte came back; undefined when there was none. */
  readonly conversation: () => Conversation | undefined;
}

/** The same probe, with its conversations kept. */
export function recording(probe: Probe, options: ProbeOptions): Recording {
  let last: Conversation | undefined;
  const run: Probe['run'] = async (io, target, parsed) => {
    const tape = new Tape(io);
    const keep = (answer: Conversation['answer']): void => {
      const { steps, random, nowMs: now, warnings, notes } = tape;
      const about = { server: 'say which', version: 'say which' };
      if (steps.some(({ reply }) => reply !== ''))
        last = { about, options, target, random, now, steps, answer, warnings, notes };
    };
    try {
      const answer = await probe.run(tape.io, target, parsed);
      keep({ ...answer, evidence: { ...tape.evidence, ...answer.evidence } });
      return answer;
    } catch (error) {
      // The words of a failure are the net floor's: its outcome alone can be played back.
      if (endedAs(error, 'closed', 'timeout')) keep({ outcome: error.failure.outcome, evidence: tape.evidence });
      throw error;
    }
  };
  // A bare handshake is no conversation: the probe itself has to run.
  return { probe: { ...probe, run, answerOnConnect: () => undefined }, conversation: () => last };
}

class Tape {
  readonly steps: Step[] = [];
  readonly random: string[] = [];
  readonly evidence: Record<string, Evidence[string]> = {};
  readonly warnings: string[] = [];
  readonly notes: string[] = [];
  readonly nowMs: number;
  readonly io: ProbeIo;
  /** The connection that the probe holds, and the one that it stands for. */
  readonly #conns = new WeakMap<Conn, Conn>();

  constructor(io: ProbeIo) {
    this.nowMs = io.now();
    this.io = this.#over(io);
  }

  #over(io: ProbeIo): ProbeIo {
    return {
      connect: async (options) => this.#listenTo(await io.connect(options), options?.port),
      ask: async (request) => {
        const conn = this.#listenTo(await io.ask(request));
        const { method, path, headers } = request;
        this.#sent(Buffer.from([`${method} ${path} HTTP/1.1`, ...headers, '', ''].join('\r\n'), 'latin1'));
        return conn;
      },
      secure: async (conn, options) => this.#wrap(await io.secure(this.#conns.get(conn) ?? conn, options)),
      exchange: async (datagram, accepts, options) => {
        const step = this.#add(hex(datagram), options?.port);
        const { bytes } = await io.exchange(datagram, accepts, options);
        step.reply = hex(bytes);
        return { bytes, sentAtMs: this.nowMs, receivedAtMs: this.nowMs + 1 };
      },
      resolve: (name) => io.resolve(name),
      within: (share, ask) => io.within(share, ask),
      closesWithin: async (conn, ms) => this.#closed(await io.closesWithin(this.#conns.get(conn) ?? conn, ms)),
      record: (evidence) => {
        Object.assign(this.evidence, evidence);
        io.record(evidence);
      },
      warn: (text) => {
        this.warnings.push(text);
        io.warn(text);
      },
      note: (text) => {
        this.notes.push(text);
        io.note(text);
      },
      random: (length) => {
        const bytes = io.random(length);
        this.random.push(hex(bytes));
        return bytes;
      },
      now: () => this.nowMs,
    };
  }

  /** What follows belongs to this connection: the player takes the one before for closed. */
  #listenTo(conn: Conn, port?: number): Conn {
    this.#closed(this.steps.length > 0);
    this.#add('', port);
    return this.#wrap(conn);
  }

  #wrap(conn: Conn): Conn {
    const heard = async (reading: Promise<Uint8Array>): Promise<Uint8Array> => {
      try {
        const bytes = await reading;
        this.#last.reply += hex(bytes);
        return bytes;
      } catch (error) {
        this.#closed(endedAs(error, 'closed'));
        throw error;
      }
    };
    const wrapped: Conn = {
      write: (bytes) => {
        this.#sent(bytes);
        return conn.write(bytes);
      },
      read: (length) => heard(conn.read(length)),
      readUntil: (delimiter, maxBytes) => heard(conn.readUntil(delimiter, maxBytes)),
      readSome: (maxBytes) => heard(conn.readSome(maxBytes)),
      end: (bytes) => conn.end(bytes),
    };
    this.#conns.set(wrapped, conn);
    return wrapped;
  }

  #add(send: string, port?: number): Step {
    const step: Step = { ...(port !== undefined && { port }), send, reply: '' };
    this.steps.push(step);
    return step;
  }

  /** What is sent after a reply begins the next step. */
  #sent(bytes: Uint8Array): void {
    if (this.#last.reply !== '') this.#add('', this.#last.port);
    this.#last.send += hex(bytes);
  }

  #closed(isClosed: boolean): boolean {
    if (isClosed) this.#last.closes = true;
    return isClosed;
  }

  get #last(): Step {
    return this.steps.at(-1) ?? this.#add('');
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
