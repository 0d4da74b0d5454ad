/** 10,000 endpoints, three in ten of them silent: how near a run comes to the least time that its places and timeout allow. */
import { execFileSync } from 'node:child_process';
import { on } from '../support/netns.ts';
import { atLeast, atMost, linesOf, ratio, wallOf, type Benchmark } from './kit/benchmark.ts';
import { contest, median } from './kit/contest.ts';
import { ip, type Space } from './kit/space.ts';
import { client, reference, whyNot } from './kit/tools.ts';

const hosts = 1000;
const ports = 10;
const port = 10_000;
const first = '198.18.0.1';
const places = 1024;
const timeoutMs = 2200;
const nmapRange = '198.18.0.1-255 198.18.1-2.0-255 198.18.3.0-232';

export const blackHoles: Benchmark = {
  name: 'black-holes',
  about: '10,000 endpoints, 30 % dropped',
  async run({ rounds }) {
    const skipped = whyNot('nmap');
    if (skipped !== undefined) return { skipped };
    const field = ['--first', first, '--hosts', `${hosts}`, '--port', `${port}`, '--ports', `${ports}`];
    const runs = await contest({
      rounds: Math.ceil(rounds / 2),
      contenders: [
        {
          name: 'C epoll',
          argv: [reference('tcp-client'), ...[first, hosts, port, ports, places, timeoutMs].map(String)],
        },
        {
          name: 'nmap -sT -T4',
          // It may take minutes; then the ratio is that of the minute it was given.
          argv: [
            'sh',
            '-c',
            `timeout 60 nmap -sT -T4 -Pn -n -oG /dev/null -p${port}-${port + ports - 1} ${nmapRange}; true`,
          ],
        },
        {
          name: 'xenreach fixed',
          argv: [...client('pool'), ...field, '--concurrency', `${places}`, '--timeout', `${timeoutMs}`],
        },
        {
          name: 'xenreach eager',
          argv: [...client('pool'), ...field, '--concurrency', '512', '--grow-to', '8192', '--timeout', `${timeoutMs}`],
        },
        {
          name: 'xenreach defaults',
          argv: [...client('pool'), ...field, '--concurrency', '512', '--grow-to', '8192', '--rate', '2000'],
        },
      ],
      prepare: async (space) => {
        await space.serve([reference('tcp-server'), `${port}`, `${ports}`]);
        dropThreeInTen(space);
      },
    });
    const silent = runs.get('C epoll')![0]!.told['timeout']!;
    // The silent ones take every place within a moment, and then wait together: whole rounds of the timeout.
    const boundMs = Math.ceil(silent / places) * timeoutMs;
    const wrong = ['xenreach fixed', 'xenreach eager', 'xenreach defaults'].flatMap((name) =>
      runs
        .get(name)!
        .map(
          ({ told }) =>
            Math.abs((told['timeout'] ?? 0) - silent) + Math.abs((told['answered'] ?? 0) - (hosts * ports - silent)),
        ),
    );
    const fixedMs = median(runs.get('xenreach fixed')!.map(wallOf));
    const faster = (name: string): number => ratio(runs, 'nmap -sT -T4', name, wallOf);
    const table = linesOf(
      runs,
      hosts * ports,
      (name) => `${(median(runs.get(name)!.map(wallOf)) / 1000).toFixed(2)} s`,
    );
    return {
      figures: [
        atMost('wall / bound', fixedMs / boundMs, 1.08),
        atLeast('times faster than nmap -sT -T4, defaults', faster('xenreach defaults'), 4),
        atLeast('the same with --timeout 2.2s --rate 1000000', faster('xenreach eager'), 4),
        atMost('wrong outcomes', Math.max(...wrong), 0),
      ],
      table,
    };
  },
};

/** The same endpoints each time: chosen by a hash of address and port. Not their answers: loopback is both ways. */
const dropThreeInTen = (space: Space): void =>
  drop(space, `tcp dport ${port}-${port + ports - 1} tcp flags syn jhash ip daddr . tcp dport mod 10 seed 0x1 < 3`);

/** Datagrams and segments that match are lost on their way in: the sender hears nothing. */
export function drop({ name }: Space, which: string): void {
  ip(['route add local 198.18.0.0/16 dev lo'], name);
  const [program, ...args] = on(name, ['nft', '-f', '-']);
  const rule = `ip daddr 198.18.0.0/16 ${which} drop`;
  const input = `table ip bench {\n chain in {\n type filter hook input priority 0\n ${rule}\n }\n}\n`;
  execFileSync(program, args, { input });
}
