/**
 * Peers that mean no good: each has a TCP and a UDP port of the same number and does one thing to every client. The kinds
 * that twist an answer (`drip`, `wrongTransaction`, `otherAddress`) take the peer whose answers they twist.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { Caller, type TcpPeer } from '../../src/lab/caller.ts';
import { openPeer, type Peer } from '../../src/lab/peer.ts';
import { closesAtOnce, mute } from '../../src/lab/peers/faults.ts';
import { elements, fromHex, join, text } from '../../src/lab/wire.ts';
import { Listeners } from '../../src/net/listeners.ts';

export type HostileKind = keyof typeof kinds;

export interface Hostile {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

const address = '127.0.0.1';
const otherAddress = '127.0.0.2';
const dripMs = 1000;
const chunkBytes = 65_536;
const maxDatagramBytes = 60_000;

const badRequest = text('HTTP/1.1 400 Bad Request\r\nServer: lab\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
const unexpectedMessage = fromHex('15 0303 0002 02 0a');
const certificateRequired = fromHex('15 0303 0002 02 74');
const helloRequest = fromHex('16 0303 0004 00 000000');
const banner = text('SSH-2.0-OpenSSH_9.2p1\r\n');

const echo: Required<Peer> = {
  udp: (datagram) => datagram,
  tcp: async (caller) => {
    caller.write(await caller.read(1));
    return echo.tcp(caller);
  },
};

/** The same peer, its answers passed through the caller's `write` and through `twist`. */
function twisted(of: Peer, Twisting: typeof Caller, twist: (reply: Buffer) => Buffer): Peer {
  const { tcp, udp } = of;
  return {
    ...(tcp && { tcp: (caller: Caller) => tcp(new Twisting(caller.socket)) }),
    ...(udp && {
      udp: (datagram: Buffer, from: RemoteInfo) => {
        const reply = udp(datagram, from);
        return reply && twist(toBuffer(reply));
      },
    }),
  };
}

/** Says it at once, without being asked, and hangs up. */
const says =
  (bytes: () => Buffer): TcpPeer =>
  (caller) => {
    caller.write(bytes());
    return Promise.resolve();
  };

const announces =
  (bytes: Buffer): TcpPeer =>
  (caller) => {
    caller.write(bytes);
    return caller.untilGone();
  };

const resetsAtOnce: TcpPeer = (caller) => {
  caller.reset();
  return Promise.resolve();
};

const promises: TcpPeer = async (caller) => {
  caller.write(hugeHeader(await caller.read(1)));
  return caller.untilGone();
};

/** The longest that the length field of the client's own protocol can say. */
function hugeHeader(request: Buffer): Buffer {
  const first = request[0] ?? 0;
  switch (first) {
    case 0x30: // LDAP
      return fromHex('30 84 7fffffff 020101 64 84 7ffffff0');
    case 0x03: // TPKT
      return fromHex('0300 ffff 0e d0 0000 1234 00');
    case 0x43: // iSCSI login
      return join(fromHex('23 87 0000 00 ffffff'), Buffer.alloc(40));
    case 0x47:
    case 0x50: // HTTP
      return text('HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n');
    case 0x80: // a record mark
      return fromHex('ffffffff');
    case 0x81: // a NetBIOS session, granted; then a message
      return fromHex('82000000 00ffffff');
    default: // SMB, DNS over TCP, Kerberos
      return fromHex('00ffffff fe534d42');
  }
}

/** The same bytes again and again, as fast as they are taken. */
function pour(caller: Caller, piece: Uint8Array | string): Promise<void> {
  const bytes = toBuffer(piece);
  const block = Buffer.concat(Array.from({ length: Math.ceil(chunkBytes / bytes.length) }, () => bytes));
  const more = async (): Promise<void> => {
    const { socket } = caller;
    if (socket.destroyed) return undefined;
    if (!socket.write(block)) await Promise.race([once(socket, 'drain'), caller.closed()]);
    return more();
  };
  return more();
}

/** Begins like an answer once it was asked, and never ends. */
const neverEnds =
  (start: string, piece: Uint8Array | string): TcpPeer =>
  async (caller) => {
    await caller.read(1);
    caller.write(start);
    return pour(caller, piece);
  };

/** Everything that is said comes out one byte a second, the first at once. */
class DrippingCaller extends Caller {
  #waiting: Uint8Array = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;

  override write(bytes: Uint8Array | string): void {
    this.#waiting = join(this.#waiting, toBuffer(bytes));
    if (this.#timer) return;
    this.#drip();
    this.#timer = setInterval(() => this.#drip(), dripMs).unref();
    this.socket.once('close', () => clearInterval(this.#timer));
  }

  #drip(): void {
    if (this.#waiting.length === 0) return;
    super.write(this.#waiting.subarray(0, 1));
    this.#waiting = this.#waiting.subarray(1);
  }
}

class MistakenCaller extends Caller {
  override write(bytes: Uint8Array | string): void {
    super.write(mistaken(toBuffer(bytes)));
  }
}

/** The same answer with another number in the place where it repeats the client's. */
function mistaken(reply: Buffer): Buffer {
  const spoiled = Buffer.from(reply);
  const at = transactionAt(spoiled);
  if (at < spoiled.length) spoiled.writeUInt8(spoiled.readUInt8(at) ^ 0x55, at);
  return spoiled;
}

/** Where the protocols of the lab keep it, told apart by how their answers begin. */
function transactionAt(reply: Buffer): number {
  const first = reply[0] ?? 0;
  const isLdap = first === 0x30;
  const isRecord = first === 0x80;
  const isIscsi = first >= 0x20 && first <= 0x26 && reply.length >= 48;
  const isNtp = reply.length === 48 && (first & 7) === 4;
  if (isNtp) return 31; // the origin timestamp's last byte
  if (isLdap) return messageIdAt(reply);
  if (isRecord) return 4;
  if (isIscsi) return 19;
  const isFramedDns = reply.length > 14 && reply.readUInt16BE() === reply.length - 2;
  return isFramedDns ? 2 : 0;
}

function messageIdAt(reply: Buffer): number {
  const [message] = elements(reply);
  const [id] = message ? elements(message.value) : [];
  return message && id ? message.whole.length - message.value.length + 2 : 0;
}

/** From 127.0.0.2, or where there is no such address from another port. */
function answerFromElsewhere(reply: Uint8Array | undefined, to: RemoteInfo): undefined {
  if (!reply) return undefined;
  const socket = createSocket('udp4');
  const send = (): void => socket.send(reply, to.port, to.address, () => socket.close());
  socket.once('error', () => socket.bind(0, address, send)).bind(0, otherAddress, send);
  return undefined;
}

const toBuffer = (bytes: Uint8Array | string): Buffer => (typeof bytes === 'string' ? text(bytes) : Buffer.from(bytes));

/** Everything there is, each made of the peer whose answers it twists. */
const kinds = {
  /** Accepts, and says nothing. */
  mute: () => mute,
  /** One byte a second. */
  drip: (of) => twisted(of, DrippingCaller, (reply) => reply.subarray(0, 1)),
  random: () => ({ tcp: says(() => randomBytes(1024)), udp: () => randomBytes(512) }),
  /** A header that promises more than anyone should wait for. */
  hugeLength: () => ({ tcp: promises, udp: hugeHeader }),
  /** Without end. */
  megabytes: () => ({ tcp: (caller) => pour(caller, 'A'), udp: () => Buffer.alloc(maxDatagramBytes, 'A') }),
  /** An answer of HTTP whose first chunk has an extension without end. */
  endlessChunk: () => ({ tcp: neverEnds('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;', 'x') }),
  /** Interim answers of HTTP, and never the one that counts. */
  interimAnswers: () => ({ tcp: neverEnds('', 'HTTP/1.1 103 Early Hints\r\n\r\n') }),
  /** A TLS server that asks to begin, again and again. */
  helloRequests: () => ({ tcp: neverEnds('', helloRequest) }),
  /** A TLS server that wants a client certificate, before it knows whom it speaks to. */
  certificateDemanded: () => ({ tcp: says(() => certificateRequired) }),
  closeAtOnce: () => ({ tcp: closesAtOnce }),
  reset: () => ({ tcp: resetsAtOnce }),
  /** A web server on the wrong port. */
  http: () => ({ tcp: says(() => badRequest), udp: () => badRequest }),
  /** A TLS server on the wrong port. */
  tlsOnPlain: () => ({ tcp: says(() => unexpectedMessage), udp: () => unexpectedMessage }),
  /** An SSH server on the wrong port. */
  sshBanner: () => ({ tcp: announces(banner), udp: () => banner }),
  /** A perfect answer, to somebody else's question. */
  wrongTransaction: (of) => twisted(of, MistakenCaller, mistaken),
  /** The datagram comes back from another address. */
  otherAddress: (of) => ({ ...of, udp: (datagram, from) => answerFromElsewhere(of.udp?.(datagram, from), from) }),
} satisfies Record<string, (of: Peer) => Peer>;

export const hostileKinds = Object.keys(kinds).filter((kind): kind is HostileKind => kind in kinds);

export async function startHostile(kind: HostileKind, of: Peer = echo): Promise<Hostile> {
  const listeners = new Listeners();
  const port = await openPeer(listeners, address, kinds[kind](of));
  return { address, port, close: () => listeners.close() };
}
