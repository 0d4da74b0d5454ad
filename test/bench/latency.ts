/** Is the latency that is printed the network's, or that of our own queue? */
import { atMost, linesOf, type Benchmark } from './kit/benchmark.ts';
import { contest, median } from './kit/contest.ts';
import { pool, sizeOf } from './kit/tcp.ts';
import { reference, whyNot } from './kit/tools.ts';

export const latency: Benchmark = {
  name: 'latency',
  about: '20,000 open endpoints at concurrency 1,024: the latency that is printed',
  async run({ rounds, scale }) {
    const skipped = whyNot();
    if (skipped !== undefined) return { skipped };
    const field = { hosts: 250, port: 10_000, ports: Math.ceil(80 * scale) };
    const runs = await contest({
      rounds,
      contenders: [
        { ...pool(field), name: 'at 1,024' },
        { ...pool(field, '--concurrency', '1'), name: 'one at a time' },
      ],
      prepare: (space) => space.serve([reference('tcp-server'), `${field.port}`, `${field.ports}`]),
    });
    const of = (name: string, what: string): number => median(runs.get(name)!.map(({ told }) => told[what]!));
    const table = linesOf(runs, sizeOf(field), (name) => `p50 ${of(name, 'p50')} ms, p99 ${of(name, 'p99')} ms`);
    return {
      figures: [atMost('p50 in ms', of('at 1,024', 'p50'), 1), atMost('p99 in ms', of('at 1,024', 'p99'), 5)],
      table,
    };
  },
};
