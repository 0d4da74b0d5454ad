/** 100,000 connections to listening ports: what Node's sockets cost beside the same five system calls from C. */
import { atLeast, linesOf, ratio, speed, type Benchmark } from './kit/benchmark.ts';
import { contest } from './kit/contest.ts';
import { epoll, fieldOf, nmap, pool, sizeOf, sockets, threaded } from './kit/tcp.ts';
import { reference, whyNot } from './kit/tools.ts';

export const tcpOpen: Benchmark = {
  name: 'tcp-open',
  about: '100,000 connects to an accepting server',
  async run({ rounds, scale }) {
    const skipped = whyNot('nmap');
    if (skipped !== undefined) return { skipped };
    const field = fieldOf(scale);
    const runs = await contest({
      rounds,
      contenders: [epoll(field), nmap(field), sockets(field), pool(field), threaded(pool(field))],
      prepare: (space) => space.serve([reference('tcp-server'), `${field.port}`, `${field.ports}`]),
    });
    return {
      figures: [
        atLeast('rate / C epoll', ratio(runs, 'xenreach pool', 'C epoll', speed), 0.8),
        atLeast('rate / nmap -sT', ratio(runs, 'xenreach pool', 'nmap -sT tuned', speed), 1),
        atLeast('rate / nmap -sT, threads', ratio(runs, 'xenreach pool, threads', 'nmap -sT tuned', speed), 1.3),
      ],
      table: linesOf(runs, sizeOf(field)),
    };
  },
};
