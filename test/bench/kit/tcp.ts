/** What the TCP benchmarks share: one field of endpoints on loopback, in the words of each contender. */
import type { Contender } from './contest.ts';
import { client, reference } from './tools.ts';

export interface TcpField {
  readonly hosts: number;
  readonly port: number;
  readonly ports: number;
}

/** 100,000 endpoints at scale 1. */
export const fieldOf = (scale: number, port = 10_000): TcpField => ({
  hosts: 250,
  port,
  ports: Math.ceil(400 * scale),
});
export const sizeOf = ({ hosts, ports }: TcpField): number => hosts * ports;

const first = '127.1.0.1';

export const epoll = ({ hosts, port, ports }: TcpField, concurrency = 256): Contender => ({
  name: 'C epoll',
  argv: [reference('tcp-client'), first, `${hosts}`, `${port}`, `${ports}`, `${concurrency}`, '5000'],
});

export const nmap = ({ hosts, port, ports }: TcpField): Contender => ({
  name: 'nmap -sT tuned',
  argv: [
    ...'nmap -sT -Pn -n -T5 --min-rate 1000000 --min-parallelism 1000 --max-retries 0 --min-hostgroup 250 -oG /dev/null'.split(
      ' ',
    ),
    `-p${port}-${port + ports - 1}`,
    `127.1.0.1-${hosts}`,
  ],
});

/** What is left when everything of ours is left out. */
export const sockets = ({ hosts, port, ports }: TcpField): Contender => ({
  name: 'bare net.Socket loop',
  argv: [...client('sockets'), first, `${hosts}`, `${port}`, `${ports}`],
});

/** On all processors, where the pool takes threads for so large a plan; held to one it finds no use for them. */
export const threaded = (contender: Contender): Contender => ({
  ...contender,
  name: `${contender.name}, threads`,
  isFree: true,
});

export const pool = ({ hosts, port, ports }: TcpField, ...more: readonly string[]): Contender => ({
  name: 'xenreach pool',
  argv: [
    ...client('pool'),
    '--first',
    first,
    '--hosts',
    `${hosts}`,
    '--port',
    `${port}`,
    '--ports',
    `${ports}`,
    ...more,
  ],
});
