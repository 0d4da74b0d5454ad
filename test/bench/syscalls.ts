/** System calls for each closed connect: five is the least. Two runs of different length, so that the start falls out. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { on, whyNotLive } from '../support/netns.ts';
import { atMost, type Benchmark } from './kit/benchmark.ts';
import { pool, sizeOf } from './kit/tcp.ts';
import { makeSpace } from './kit/space.ts';
import { put } from './kit/tools.ts';

export const syscalls: Benchmark = {
  name: 'syscalls',
  about: 'strace -c of 5,000 closed connects',
  async run() {
    const skipped = whyNotLive('strace');
    if (skipped !== null) return { skipped };
    const few = { hosts: 250, port: 20_000, ports: 4 };
    const many = { hosts: 250, port: 20_000, ports: 24 };
    const [less, more] = [await countOf(few), await countOf(many)];
    return { figures: [atMost('system calls a probe', (more - less) / (sizeOf(many) - sizeOf(few)), 6)] };
  },
};

async function countOf(field: Parameters<typeof pool>[0]): Promise<number> {
  await using space = makeSpace();
  const summary = put('strace.txt', '');
  const [program, ...args] = on(space.name, ['strace', '-f', '-c', '-o', summary, ...pool(field).argv]);
  execFileSync(program, args, { stdio: 'ignore' });
  const total = readFileSync(summary, 'utf8')
    .split('\n')
    .findLast((line) => line.endsWith(' total'));
  return Number(total?.trim().split(/\s+/)[3]);
}
