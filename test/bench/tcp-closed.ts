/** 100,000 connections to closed ports: a refusal is an Error object in Node, and the kernel's part is at its smallest. */
import { atLeast, linesOf, ratio, speed, type Benchmark } from './kit/benchmark.ts';
import { contest } from './kit/contest.ts';
import { epoll, fieldOf, nmap, pool, sizeOf, sockets, threaded } from './kit/tcp.ts';
import { whyNot } from './kit/tools.ts';

export const tcpClosed: Benchmark = {
  name: 'tcp-closed',
  about: '100,000 connects to closed ports',
  async run({ rounds, scale }) {
    const skipped = whyNot('nmap');
    if (skipped !== undefined) return { skipped };
    const field = fieldOf(scale, 20_000);
    const runs = await contest({
      rounds,
      contenders: [epoll(field), nmap(field), sockets(field), pool(field), threaded(pool(field))],
    });
    return {
      figures: [
        atLeast('rate / C epoll', ratio(runs, 'xenreach pool', 'C epoll', speed), 0.62),
        atLeast('rate / nmap -sT, threads', ratio(runs, 'xenreach pool, threads', 'nmap -sT tuned', speed), 1.2),
      ],
      table: linesOf(runs, sizeOf(field)),
    };
  },
};
