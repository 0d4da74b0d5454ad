/** 40,000 datagrams out and back. The C client, too, opens one connected socket a probe, for only that one is told of ICMP. */
import { atLeast, atMost, linesOf, ratio, speed, type Benchmark } from './kit/benchmark.ts';
import { contest } from './kit/contest.ts';
import { client, reference, whyNot } from './kit/tools.ts';

export const udp: Benchmark = {
  name: 'udp',
  about: '40,000 exchanges with an echo server at concurrency 1,024',
  async run({ rounds, scale }) {
    const skipped = whyNot();
    if (skipped !== undefined) return { skipped };
    const hosts = 250;
    const ports = Math.ceil(160 * scale);
    const options = JSON.stringify({ payload: 'hex:00' });
    const runs = await contest({
      rounds,
      contenders: [
        {
          name: 'C, connected',
          argv: [reference('udp-client'), '127.1.0.1', `${hosts}`, '10000', `${ports}`, '1024', '2000'],
        },
        {
          name: 'xenreach pool',
          argv: [...client('pool'), '--probe', 'udp', '--options', options, '--ports', `${ports}`, '--timeout', '2000'],
        },
      ],
      prepare: (space) => space.serve([reference('udp-server'), '10000', `${ports}`]),
    });
    const lost = runs.get('xenreach pool')!.map(({ told }) => hosts * ports - (told['answered'] ?? 0));
    return {
      figures: [
        atLeast('rate / C, where ICMP must be seen', ratio(runs, 'xenreach pool', 'C, connected', speed), 0.5),
        atMost('lost', Math.max(...lost), 0),
      ],
      table: linesOf(runs, hosts * ports),
    };
  },
};
