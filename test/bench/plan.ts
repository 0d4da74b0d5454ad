/** Plan and judge alone, from 1,000 to 1,000,000 checks: both must be straight lines. */
import { atMost, type Benchmark } from './kit/benchmark.ts';
import { race, type Run } from './kit/contest.ts';
import { client, whyNot } from './kit/tools.ts';

const sizes = [1000, 10_000, 100_000, 1_000_000];

export const plan: Benchmark = {
  name: 'plan',
  about: '1,000 to 1,000,000 checks planned and judged',
  async run() {
    const skipped = whyNot();
    if (skipped !== undefined) return { skipped };
    const runs: Run[] = [];
    for (const size of sizes) {
      runs.push(await race(null, { name: `${size}`, argv: [...client('plan'), `${size}`], isFree: true }));
    }
    const [, , tenth, whole] = runs as [Run, Run, Run, Run];
    return {
      figures: [
        atMost('seconds for 1,000,000', whole.told['wallMs']! / 1000, 3),
        atMost('GiB', whole.peakMiB / 1024, 1.5),
        atMost(
          'time of 1,000,000 / ten times that of 100,000',
          whole.told['wallMs']! / tenth.told['wallMs']! / 10,
          1.5,
        ),
      ],
      table: runs.map(({ told, peakMiB, cpuMs }, i) => ({
        name: `${sizes[i]}`,
        rate: Math.round((sizes[i]! / told['wallMs']!) * 1000),
        from: 0,
        to: 0,
        cpuPer10k: Number(((cpuMs / sizes[i]!) * 10).toPrecision(3)),
        peakMiB: Math.round(peakMiB),
        note: `plan ${Math.round(told['planMs']!)} ms, judge ${Math.round(told['judgeMs']!)} ms`,
      })),
    };
  },
};
