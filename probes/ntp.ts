/**
 * Network Time Protocol v4, client mode: one 48-byte datagram each way. A server that answers is serving; leap indicator,
 * stratum, kiss code and root distance say whether chrony, the client of XenServer, would believe it. RFC 5905 sections 7.3
 * (packet), 7.4 (kiss codes), 8 (offset and delay) and 11.1 (root distance); RFC 9109 (the random transmit timestamp).
 */
import * as v from 'valibot';
import { answered, declined, type Answer } from '../src/model/outcome.ts';
import { defineProbe } from '../src/model/probe.ts';
import { compareClocks } from '../src/wire/clock.ts';
import { accepting } from '../src/wire/datagram.ts';
import { DecodeError, Reader } from '../src/wire/reader.ts';

const headerLength = 48;
const client = 3;
const server = 4;
const unsynchronized = 3;

/** Stratum 0 is a kiss-o'-death: the reference id holds a four-letter code such as RATE. */
const kissOfDeath = 0;

/** Codes of a server that has no time to give. They look like a kiss-o'-death and refuse nobody. */
const sourceless: ReadonlyMap<string, string> = new Map([
  ['INIT', 'has heard from no source of its own yet (INIT): it has just started, or reaches none'],
  ['STEP', 'has just set its own clock by a jump (STEP) and is not synchronised yet'],
]);

/** The names of a clock that nobody sets: ntpd's local driver, and `local` of chrony. */
const ownClock = /^LOCL$|^127\.127\.1\./;

/** RFC 5905 section 11.2: ntpd takes no source beyond it (its MAXDIST); chrony's own bound is twice as far. */
const ntpdDistanceMs = 1500;

/** From 1900-01-01 (NTP) to 1970-01-01 (the system clock), and the length of an era: it wraps in February 2036. */
const epochOffsetSeconds = 2_208_988_800;
const eraSeconds = 2 ** 32;

export interface NtpHeader {
  readonly leap: number;
  readonly version: number;
  readonly mode: number;
  readonly stratum: number;
  readonly rootDelayMs: number;
  readonly rootDispersionMs: number;
  readonly referenceId: Uint8Array;
  readonly originTimestamp: Uint8Array;
  /** Seconds and fraction since 1900, era unknown. */
  readonly receiveTimestamp: number;
  readonly transmitTimestamp: number;
}

/*
    0                   1                   2                   3
   |LI | VN  |Mode |    Stratum    |     Poll      |   Precision   |  0
   |            root delay         |        root dispersion        |  4, 8
   |                         reference id                          |  12
   |        reference, origin, receive, transmit timestamps        |  16, 24, 32, 40
*/
export function encodeRequest(transmitTimestamp: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerLength);
  bytes[0] = (4 << 3) | client;
  bytes.set(transmitTimestamp, 40);
  return bytes;
}

export function decodeHeader(bytes: Uint8Array): NtpHeader {
  const reader = new Reader(bytes);
  const first = reader.uint8();
  const stratum = reader.uint8();
  reader.bytes(2);
  const rootDelayMs = shortMs(reader.uint32());
  const rootDispersionMs = shortMs(reader.uint32());
  const referenceId = reader.bytes(4);
  reader.bytes(8);
  const originTimestamp = reader.bytes(8);
  const receiveTimestamp = reader.uint32() + reader.uint32() / eraSeconds;
  const transmitTimestamp = reader.uint32() + reader.uint32() / eraSeconds;
  return {
    leap: first >> 6,
    version: (first >> 3) & 7,
    mode: first & 7,
    stratum,
    rootDelayMs,
    rootDispersionMs,
    referenceId,
    originTimestamp,
    receiveTimestamp,
    transmitTimestamp,
  };
}

export function decodeReply(bytes: Uint8Array): NtpHeader {
  const header = decodeHeader(bytes);
  if (header.version < 1 || header.version > 4) throw new DecodeError(`version ${header.version}`, 0);
  if (header.mode !== server) throw new DecodeError(`mode ${header.mode} is not a server's`, 0);
  return header;
}

export const ntp = defineProbe({
  transport: 'udp',
  port: 123,
  about: {
    title: 'Network Time Protocol',
    sends: 'one 48-byte client packet with a random transmit timestamp, at most twice, two seconds apart',
    proves: 'a mode 4 reply that echoes our timestamp, from a synchronised server that chrony would take as a source',
    client:
      "chrony 3.2 to 4 (`ntp_core.c`, `sources.c`, chrony.conf(5)): leap indicator not 3, stratum 1 to 15, half the root delay and the root dispersion together within `maxdistance`, 3 s; a server of nothing but its own clock (LOCL) is taken; a warning beyond ntpd's 1.5 s",
    leaves: 'nothing; a rate-limited server may count it',
    reference: 'RFC 5905',
  },
  metrics: [
    {
      name: 'ntp_offset_seconds',
      help: 'How far the time server is ahead of this machine.',
      evidence: 'offsetMs',
      perUnit: 1000,
    },
  ],
  options: v.strictObject({
    maxStratum: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(15)), 15),
    /** Half the root delay and the root dispersion: `maxdistance` of chrony. */
    maxDistanceMs: v.optional(v.pipe(v.number(), v.minValue(0)), 3000),
    /** Beyond this the answer is a warning. */
    maxOffsetMs: v.optional(v.pipe(v.number(), v.minValue(0)), 1000),
  }),

  async run(io, _target, options) {
    // The server echoes our transmit timestamp as its origin timestamp, so a random one ties reply to request.
    const cookie = io.random(8);
    const reply = await io.exchange(encodeRequest(cookie), accepting(decodeReply, echoes(cookie)), {
      maxSends: 2,
      pauseMs: 2000,
    });
    const header = decodeReply(reply.bytes);
    const reference = referenceText(header);
    const { rootDelayMs, rootDispersionMs } = header;
    const distanceMs = round(rootDelayMs / 2 + rootDispersionMs);
    io.record({ version: header.version, stratum: header.stratum, leap: header.leap, referenceId: reference });
    io.record({ rootDelayMs, rootDispersionMs, rootDistanceMs: distanceMs });

    const why = refusalOf(header, reference, options.maxStratum);
    if (why) return declined(why.detail, {}, why.remedy);
    if (distanceMs > options.maxDistanceMs) return tooFar(distanceMs, options.maxDistanceMs);
    if (header.receiveTimestamp === 0) throw new DecodeError('the receive timestamp is zero', 32);
    if (header.transmitTimestamp === 0) throw new DecodeError('the transmit timestamp is zero', 40);

    const t2 = epochMs(header.receiveTimestamp, reply.receivedAtMs);
    const t3 = epochMs(header.transmitTimestamp, reply.receivedAtMs);
    const offsetMs = round((t2 - reply.sentAtMs + (t3 - reply.receivedAtMs)) / 2);
    const delayMs = round(reply.receivedAtMs - reply.sentAtMs - (t3 - t2));
    // The true offset lies within half the delay on either side, so a slow path does not make a clock wrong.
    const limits = { warnBeyondMs: options.maxOffsetMs + delayMs / 2 };
    const side = offsetMs > 0 ? 'behind' : 'ahead';
    compareClocks(
      io,
      offsetMs,
      limits,
      (by) => `this machine's clock and the server's differ by ${by}: ours is ${side}`,
    );
    if (distanceMs > ntpdDistanceMs) {
      io.warn(
        `the server is within ${inSeconds(distanceMs)} of true time only (root distance): ntpd takes none beyond 1.5 s`,
      );
    }
    if (ownClock.test(reference)) io.note(`the server follows no other clock than its own (${reference})`);
    return answered(
      `stratum ${header.stratum}, offset ${offsetMs.toFixed(1)} ms (± ${(Math.abs(delayMs) / 2).toFixed(1)})`,
      { offsetMs, delayMs },
    );
  },
});

type Refusal = Pick<Answer, 'detail' | 'remedy'>;

const findSources =
  'Look at the sources of the time server itself (chronyc sources, ntpq -p, w32tm /query /status): it is reached and has no time to give.';

/** Why chrony would ignore this server. */
function refusalOf({ stratum, leap }: NtpHeader, reference: string, maxStratum: number): Refusal | undefined {
  const waits = sourceless.get(reference);
  if (stratum === kissOfDeath && reference !== '0.0.0.0' && waits === undefined) {
    return { detail: `kiss-o'-death ${reference}: the server refuses us`, remedy: kissRemedy(reference) };
  }
  if (leap === unsynchronized || stratum === 0 || stratum > 15) {
    return { detail: `the server answers but ${waits ?? 'is not synchronised itself'}`, remedy: findSources };
  }
  if (stratum <= maxStratum) return undefined;
  return { detail: `stratum ${stratum} is worse than the ${maxStratum} asked for` };
}

const kissRemedy = (code: string): string =>
  code === 'RATE'
    ? 'Fewer questions from this address, or a higher limit at the time server (its rate limit).'
    : 'Let the time server serve this address (its `restrict` or `allow` lines).';

function tooFar(distanceMs: number, maxDistanceMs: number): Answer {
  const detail = `the server is within ${inSeconds(distanceMs)} of true time only (root distance), chrony takes none beyond ${inSeconds(maxDistanceMs)}`;
  return declined(detail, {}, findSources);
}

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const echoes =
  (cookie: Uint8Array) =>
  ({ originTimestamp }: NtpHeader): boolean =>
    cookie.every((byte, i) => originTimestamp[i] === byte);

/** Stratum 0 and 1 carry ASCII (a kiss code, a clock's name); above, an IPv4 address or the hash of an IPv6 one. */
function referenceText({ stratum, referenceId }: NtpHeader): string {
  const isText = stratum <= 1 && referenceId[0] !== 0;
  if (!isText) return referenceId.join('.');
  return String.fromCharCode(...referenceId.filter((byte) => byte > 0x20 && byte < 0x7f));
}

/** 16.16 fixed-point seconds. */
const shortMs = (fixed: number): number => round((fixed / 65_536) * 1000);

/** The era whose reading is nearest to the local clock. */
function epochMs(seconds: number, nearMs: number): number {
  const ms = (seconds - epochOffsetSeconds) * 1000;
  return ms + Math.round((nearMs - ms) / (eraSeconds * 1000)) * eraSeconds * 1000;
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000;
