/**
 * Stands between a probe and its peer, and damages what the peer says: bits, lengths, order, ends. What it does follows
 * from a seed, so that a run that found something can be run again.
 */
import { connect, type Socket } from 'node:net';
import { openPeer, type Peer } from '../../src/lab/peer.ts';
import type { Listeners } from '../../src/net/listeners.ts';

type Random = (below: number) => number;

/** Mulberry32: small, and the same everywhere. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

type Damage = (bytes: Buffer, random: Random) => Buffer;

const bytesOf = (length: number, random: Random): Buffer => Buffer.from(Array.from({ length }, () => random(256)));

/** Each as a peer, a middlebox or a bug may do it. */
const damages: Readonly<Record<string, Damage>> = {
  none: (bytes) => bytes,
  bits: (bytes, random) => changed(bytes, 1 + random(4), (at) => bytes[at]! ^ (1 << random(8)), random),
  largeNumbers: (bytes, random) => changed(bytes, 2, () => 0xff, random),
  zeros: (bytes, random) => changed(bytes, 4, () => 0, random),
  cut: (bytes, random) => bytes.subarray(0, random(bytes.length)),
  headless: (bytes, random) => bytes.subarray(random(bytes.length)),
  twice: (bytes) => Buffer.concat([bytes, bytes]),
  backwards: (bytes) => Buffer.from(bytes.toReversed()),
  inserted: (bytes, random) => {
    const at = random(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytesOf(1 + random(64), random), bytes.subarray(at)]);
  },
  instead: (_, random) => bytesOf(random(2048), random),
  terminal: (bytes) => Buffer.concat([Buffer.from('\u001b]0;owned\u0007\u202e\r\n'), bytes]),
};

function changed(bytes: Buffer, count: number, value: (at: number) => number, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let i = 0; i < count && copy.length > 0; i += 1) {
    const at = random(copy.length);
    copy[at] = value(at);
  }
  return copy;
}

const kinds = Object.values(damages);

/** Opens a port in front of the peer, TCP and UDP; every conversation is damaged in one way. */
export async function openDamaged(listeners: Listeners, address: string, peer: Peer, random: Random): Promise<number> {
  const { tcp, udp } = peer;
  const port = tcp ? await openPeer(listeners, address, { tcp }) : 0;
  return listeners.open(address, {
    ...(tcp && { tcp: (client: Socket) => relay(client, address, port, random) }),
    ...(udp && {
      udp: (datagram, from) => {
        const reply = udp(datagram, from);
        return reply && kinds[random(kinds.length)]!(Buffer.from(reply), random);
      },
    }),
  });
}

function relay(client: Socket, address: string, port: number, random: Random): void {
  const damage = kinds[random(kinds.length)]!;
  const hangsUp = random(4) === 0;
  const peer = connect({ host: address, port });
  const end = (): void => {
    client.destroy();
    peer.destroy();
  };
  for (const socket of [client, peer]) socket.on('error', end).on('close', end);
  client.on('data', (bytes) => peer.write(bytes));
  peer.on('data', (bytes: Buffer) => {
    client.write(damage(bytes, random));
    if (hangsUp) client.end();
  });
}
