/**
 * More hosts on our own link than the kernel keeps neighbours (1,024): SYNs are dropped before they leave, and no host may
 * be blamed for it. Not a test: the table is one for the whole machine, and whatever else runs there would suffer.
 */
import { atMost, linesOf, type Benchmark } from './kit/benchmark.ts';
import { race } from './kit/contest.ts';
import { ip, makeSpace } from './kit/space.ts';
import { client, reference, whyNot } from './kit/tools.ts';

const hosts = 1500;
const port = 10_000;

export const neighbours: Benchmark = {
  name: 'neighbours',
  about: '1,500 hosts on one link, where the kernel keeps 1,024 neighbours',
  async run() {
    const skipped = whyNot();
    if (skipped !== undefined) return { skipped };
    await using far = makeSpace();
    await using near = makeSpace();
    ip([`link add near netns ${near.name} type veth peer name far netns ${far.name}`]);
    ip(['addr add 198.18.255.254/16 dev near', 'link set near up'], near.name);
    ip(['addr add 198.18.255.253/16 dev far', 'link set far up', 'route add local 198.18.0.0/17 dev lo'], far.name);
    await far.serve([reference('tcp-server'), `${port}`, '1']);
    const field = ['--first', '198.18.0.1', '--hosts', `${hosts}`, '--port', `${port}`, '--ports', '1'];
    const name = 'xenreach pool';
    const run = await race(near.name, { name, argv: [...client('pool'), ...field, '--concurrency', '512'] });
    return {
      figures: [atMost('hosts that are not told as open', hosts - (run.told['answered'] ?? 0), 0)],
      table: linesOf(new Map([[name, [run]]]), hosts, () => `${(run.wallMs / 1000).toFixed(1)} s`),
    };
  },
};
