/** Our own stall must never turn a healthy endpoint into a timeout. */
import { atMost, type Benchmark } from './kit/benchmark.ts';
import { contest } from './kit/contest.ts';
import { client, reference, whyNot } from './kit/tools.ts';

export const stall: Benchmark = {
  name: 'stall',
  about: '200 healthy connects, the loop blocked for 1.5 s, timeout 1 s',
  async run() {
    const skipped = whyNot();
    if (skipped !== undefined) return { skipped };
    const runs = await contest({
      rounds: 1,
      contenders: [{ name: 'stall', argv: client('stall') }],
      prepare: (space) => space.serve([reference('tcp-server'), '10000', '200']),
    });
    const { lean = NaN, scoped = NaN } = runs.get('stall')![0]!.told;
    return { figures: [atMost('false timeouts, bare', lean, 0), atMost('false timeouts, in an attempt', scoped, 0)] };
  },
};
