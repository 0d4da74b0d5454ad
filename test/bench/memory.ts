/** What ten thousand sockets cost that wait for nothing. */
import { atLeast, atMost, type Benchmark } from './kit/benchmark.ts';
import { contest } from './kit/contest.ts';
import { drop } from './black-holes.ts';
import { client, whyNot } from './kit/tools.ts';

const sockets = 10_000;

export const memory: Benchmark = {
  name: 'memory',
  about: '10,000 sockets in flight against a black hole',
  async run() {
    const skipped = whyNot();
    if (skipped !== undefined) return { skipped };
    const field = ['--first', '198.18.0.1', '--hosts', '1000', '--ports', '10', '--per-host', '10'];
    const runs = await contest({
      rounds: 1,
      contenders: [{ name: 'xenreach pool', argv: [...client('pool'), ...field, '--concurrency', `${sockets}`] }],
      prepare: (space) => Promise.resolve(drop(space, '')),
    });
    const [run] = runs.get('xenreach pool')!;
    return {
      figures: [
        atMost('peak in MiB', run!.peakMiB, 130),
        atLeast('in flight at once', run!.told['maxInFlight']!, sockets),
      ],
    };
  },
};
