/** System calls for each closed connect: five is the least. Two runs of different length, so that the start falls out. */
import { readFileSync } from 'node:fs';
import { atMost, type Benchmark } from './kit/benchmark.ts';
import { contest } from './kit/contest.ts';
import { pool, sizeOf } from './kit/tcp.ts';
import { put, whyNot } from './kit/tools.ts';

export const syscalls: Benchmark = {
  name: 'syscalls',
  about: 'strace -c of 5,000 closed connects',
  async run() {
    const skipped = whyNot('strace');
    if (skipped !== undefined) return { skipped };
    const few = { hosts: 250, port: 20_000, ports: 4 };
    const many = { hosts: 250, port: 20_000, ports: 24 };
    const [less, more] = [await countOf(few), await countOf(many)];
    return { figures: [atMost('system calls a probe', (more - less) / (sizeOf(many) - sizeOf(few)), 6)] };
  },
};

async function countOf(field: Parameters<typeof pool>[0]): Promise<number> {
  const summary = put('strace.txt', '');
  const { argv } = pool(field);
  await contest({ rounds: 1, contenders: [{ name: 'strace', argv: ['strace', '-f', '-c', '-o', summary, ...argv] }] });
  const total = readFileSync(summary, 'utf8')
    .split('\n')
    .findLast((line) => line.endsWith(' total'));
  return Number(total?.trim().split(/\s+/)[3]);
}
