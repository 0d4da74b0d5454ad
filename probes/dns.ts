/**
 * DNS over UDP and TCP: asks for the name that the site needs. A server that is silent about it is asked a question that it
 * answers by itself (the root's name servers, no recursion): a resolver whose upstream is dead answers that one at once, and
 * the other never. RFC 1035 section 4; RFC 7766 (TCP); RFC 2782 (SRV).
 */
import * as v from 'valibot';
import { endedAs, NetError } from '../src/model/errors.ts';
import { answered, declined, type Answer } from '../src/model/outcome.ts';
import type { Conn, ProbeIo, Reply } from '../src/model/probe.ts';
import { defineTwins } from '../src/model/probe.ts';
import { accepting } from '../src/wire/datagram.ts';
import {
  decodeAnswerHeader,
  decodeOutline,
  decodeReply,
  encodeQuery,
  headerLength,
  load,
  type DnsReply,
  type Question,
  type Type,
} from '../src/wire/dns.ts';
import { further, isTrouble } from '../src/wire/further.ts';
import { DecodeError, Reader } from '../src/wire/reader.ts';
import { printable } from '../src/wire/text.ts';

const maxShown = 16;

const rootServers: Question = { name: '', type: 'NS' };

const about = {
  sends:
    'the question for the configured name, as a resolver would; one for the root name servers (no recursion) where no name is configured or the server is silent about it',
  proves: 'a well-formed reply with our id; with a name configured, that the server resolves it for us',
  leaves: 'one or two queries in a query log, where one is kept',
  client:
    'the resolver of the control domain, glibc 2.17 (resolv.conf(5)): UDP first, TCP for what is cut short, the next server after SERVFAIL, NOTIMP, REFUSED or silence',
} as const;

const options = v.strictObject({
  /** What the site needs resolved. Without it a living server is enough. */
  query: v.optional(v.pipe(v.string(), v.nonEmpty(), v.check(isDomainName, 'expected a domain name in ASCII'))),
  type: v.optional(v.picklist(['A', 'AAAA', 'SRV', 'NS', 'SOA']), 'A'),
});

export const { udp: dns, tcp: dnsTcp } = defineTwins(
  {
    port: 53,
    about,
    load,
    options,

    async run(io, { transport }, { query, type }) {
      await load();
      const question = query === undefined ? undefined : wantedFor(query, type);
      return transport === 'udp' ? askInDatagrams(io, question) : askOnStream(io, question);
    },
  },
  {
    udp: { about: { title: 'DNS over UDP', reference: 'RFC 1035' } },
    tcp: { about: { title: 'DNS over TCP', reference: 'RFC 7766' } },
  },
);

async function askInDatagrams(io: ProbeIo, question: Question | undefined): Promise<Answer> {
  const ask: Ask = (message, ids) =>
    io.exchange(
      message,
      accepting(decodeOutline, (header) => ids.includes(header.id)),
    );
  if (!question) return isAlive(io, ask);
  const reply = await resolve(io, question, ask);
  return reply?.tc ? wholeAnswer(io, question) : judge(io, reply, question);
}

async function askOnStream(io: ProbeIo, question: Question | undefined): Promise<Answer> {
  const stream = new DnsStream(io);
  const answer = question
    ? judge(io, await resolve(io, question, stream.ask), question)
    : await isAlive(io, stream.ask);
  await stream.end();
  return answer;
}

/** Sends a message and resolves with the first reply that has one of the ids. */
type Ask = (message: Uint8Array, ids: readonly number[]) => Promise<Reply>;

interface Asked {
  readonly id: number;
  readonly question: Question;
  readonly message: Uint8Array;
}

/** The wanted question has this share of the time to itself; then the server is asked for a sign of life. */
const firstShare = 0.6;

/** Every server of RFC 6761 answers for it itself; a forwarder without upstream has no answer about the root. */
const localhost: Question = { name: 'localhost', type: 'A' };

const wantedFor = (query: string, type: Type): Question => ({ name: query.replace(/\.$/, ''), type });

/**
 * Asks for the wanted name first: a server that answers it is never asked for the root, which most servers deny. Undefined
 * means a "no" by silence: the server answered something else, so its resolving fails, and not the path.
 */
async function resolve(io: ProbeIo, question: Question, ask: Ask): Promise<DnsReply | undefined> {
  const wanted = prepare(io, question, true);
  const first = await unlessSilent(() => io.within(firstShare, () => converse(io, ask, [wanted])));
  if (first) return first.reply;
  const second = await converse(io, ask, [prepare(io, rootServers, false), wanted]);
  if (second.asked === wanted) return second.reply;
  return (await unlessSilent(() => converse(io, ask, [wanted])))?.reply;
}

/** Without a name to ask for: any answer to a question that needs no other server. */
async function isAlive(io: ProbeIo, ask: Ask): Promise<Answer> {
  const root = prepare(io, rootServers, false);
  const first = await further(io, () => converse(io, ask, [root]), firstShare);
  if (isTrouble(first) && !endedAs(first, 'timeout', 'closed')) throw first;
  const { reply, asked } = isTrouble(first) ? await converse(io, ask, [prepare(io, localhost, true), root]) : first;
  const what = asked === root ? 'the root' : localhost.name;
  return answered(`a DNS server answers (${reply.rcode} to a question about ${what})`);
}

/** An answer cut short is asked for over TCP, as every resolver does. */
async function wholeAnswer(io: ProbeIo, question: Question): Promise<Answer> {
  const whole = await further(io, async () => {
    const stream = new DnsStream(io);
    const { reply } = await converse(io, stream.ask, [prepare(io, question, true)]);
    await stream.end();
    return reply;
  });
  const detail = `${question.name}: the answer is longer than a datagram`;
  if (isTrouble(whole)) {
    io.warn(`${detail}, and TCP 53 does not give it either (${whole.message}): a resolver cannot have it`);
    return answered(detail);
  }
  io.note('the answer is longer than a datagram and was asked for over TCP, as resolvers do: TCP 53 is really needed');
  return judge(io, whole, question);
}

function prepare(io: ProbeIo, question: Question, isRecursive: boolean): Asked {
  const id = new Reader(io.random(2)).uint16();
  return { id, question, message: encodeQuery(id, question, isRecursive) };
}

/** Asks the first of `open`; the answer may be to an earlier question that is still open. */
async function converse(
  io: ProbeIo,
  ask: Ask,
  open: readonly [Asked, ...Asked[]],
): Promise<{ readonly reply: DnsReply; readonly asked: Asked }> {
  const ids = open.map(({ id }) => id);
  const { bytes, sentAtMs, receivedAtMs } = await ask(open[0].message, ids);
  const asked = open.find(({ id }) => id === decodeAnswerHeader(bytes).id) ?? open[0];
  const reply = decodeReply(bytes, asked.id, asked.question);
  const { rcode, aa, tc, ra } = reply;
  const ms = Math.round((receivedAtMs - sentAtMs) * 1000) / 1000;
  io.record({ rcode, aa, tc, ra, ms, answers: reply.answers.slice(0, maxShown) });
  return { reply, asked };
}

async function unlessSilent<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (endedAs(error, 'timeout')) return undefined;
    throw error;
  }
}

function judge(io: ProbeIo, reply: DnsReply | undefined, { name, type }: Question): Answer {
  if (!reply) return unresolvable(`the server is up but did not resolve ${name} in time`);
  if (reply.rcode === 'REFUSED') {
    return declined(
      `the server refuses to resolve ${name} for us (REFUSED)`,
      {},
      `Let the DNS server answer this machine (its access list, allow-query or allow-recursion), or serve the zone of ${name} there.`,
    );
  }
  if (reply.rcode === 'SERVFAIL') return unresolvable(`the server cannot resolve ${name} (SERVFAIL)`);
  if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN') {
    return declined(`the server answers ${reply.rcode} when asked for ${name}`);
  }
  if (reply.answers.length > 0) {
    const detail = `${name} ${type}: ${printable(reply.answers.join(', '))}`;
    return answered(detail);
  }
  if (reply.tc) return answered(`${name}: an answer, cut short even on TCP`);
  if (type === 'SRV') {
    const domain = /(?:^|\.)_msdcs\.(.+)$/.exec(name)?.[1];
    return declined(
      `the server does not know ${domain ? `the domain controllers of ${domain}` : name} (${reply.rcode})`,
      {},
      `Have this DNS server serve or forward the zone of ${domain ?? name}, or name another DNS server in the site.`,
    );
  }
  const isMissing = reply.rcode === 'NXDOMAIN';
  const what = isMissing ? `${name} does not exist` : `${name} has no ${type} record`;
  // A server without recursion gives an empty answer for names that others know.
  const unless = !isMissing && !reply.ra && !reply.aa ? ', and it does not ask others for us' : '';
  io.warn(`${what} according to this server${unless}`);
  return answered(`the server answers: ${what}`);
}

const unresolvable = (detail: string): Answer =>
  declined(
    detail,
    {},
    'The server is reached, what it asks is not: look at its log, at the servers it forwards to and at the way from it to them.',
  );

/** Messages on TCP, each behind its length in 16 bits. An answer that nobody waited for is read before the next one. */
class DnsStream {
  readonly #io: ProbeIo;
  #conn: Conn | undefined;
  #next: Promise<Uint8Array> | undefined;
  #hasAnswered = false;
  /** The ids of the open questions. */
  #ids: readonly number[] = [];

  constructor(io: ProbeIo) {
    this.#io = io;
  }

  readonly ask: Ask = async (message, ids) => {
    const sentAtMs = this.#io.now();
    this.#ids = ids;
    const bytes = await this.#askOnce(message).catch(async (error: unknown) => {
      if (!endedAs(error, 'closed')) throw error;
      this.#conn = undefined;
      if (!this.#hasAnswered) throw new NetError({ ...error.failure, remedy: hungUp }, { cause: error });
      // A server may close after any answer; what is unanswered then is asked again (RFC 7766 section 6.2.4).
      return this.#askOnce(message);
    });
    this.#hasAnswered = true;
    return { bytes, sentAtMs, receivedAtMs: this.#io.now() };
  };

  async end(): Promise<void> {
    await this.#conn?.end();
  }

  async #askOnce(message: Uint8Array): Promise<Uint8Array> {
    if (!this.#conn) {
      this.#next = undefined;
      this.#conn = await this.#io.connect();
    }
    await this.#conn.write(Uint8Array.from([message.length >> 8, message.length & 0xff, ...message]));
    this.#next ??= this.#read(this.#conn);
    const bytes = await this.#next;
    this.#next = undefined;
    return bytes;
  }

  /** The header is read first: another protocol may send fewer bytes than the length that it seems to begin with. */
  async #read(conn: Conn): Promise<Uint8Array> {
    const length = new Reader(await conn.read(2)).uint16();
    if (length < headerLength) throw new DecodeError(`a message of ${length} bytes`, 0);
    const header = await conn.read(headerLength);
    const { id } = decodeAnswerHeader(header);
    if (!this.#ids.includes(id)) throw new DecodeError(`id ${id} where ${this.#ids.join(' or ')} was asked`, 0);
    return Uint8Array.from([...header, ...(await conn.read(length - headerLength))]);
  }
}

const hungUp =
  'Look at the DNS server: that it answers over TCP at all, for this machine, and that a server it forwards to answers it.';

function isDomainName(name: string): boolean {
  const labels = name.replace(/\.$/, '').split('.');
  return name.length <= 253 && labels.every((label) => /^[\x21-\x2d\x2f-\x7e]{1,63}$/.test(label));
}
