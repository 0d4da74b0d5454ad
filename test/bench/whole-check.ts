/** The same endpoints through all of `xenreach check --format ndjson`: start, site, plan, run, judge, report, to a file. */
import { readFileSync } from 'node:fs';
import { atLeast, linesOf, ratio, rateOf, type Benchmark } from './kit/benchmark.ts';
import { contest, type Contender } from './kit/contest.ts';
import { epoll, fieldOf, nmap, pool, sizeOf, threaded, type TcpField } from './kit/tcp.ts';
import { put, reference, whyNot, xenreach } from './kit/tools.ts';

export const wholeCheck: Benchmark = {
  name: 'whole-check',
  about: '100,000 connects through plan, run, judge and report',
  async run({ rounds, scale }) {
    const skipped = whyNot('nmap');
    if (skipped !== undefined) return { skipped };
    const field = fieldOf(scale);
    const size = sizeOf(field);
    const lines = put('whole-check.ndjson', '');
    const check = whole(field, lines);
    const runs = await contest({
      rounds,
      contenders: [epoll(field), nmap(field), pool(field), check, threaded(check)],
      prepare: (space) => space.serve([reference('tcp-server'), `${field.port}`, `${field.ports}`]),
    });
    const told = readFileSync(lines, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"outcome":"answered"')).length;
    if (told !== size) throw new Error(`${size} checks, and ${told} of them answered`);
    const rate = (run: Parameters<typeof rateOf>[0]): number => rateOf(run, size);
    return {
      figures: [
        atLeast('rate / bare pool', ratio(runs, 'xenreach check', 'xenreach pool', rate), 0.75),
        atLeast('rate / nmap -sT, threads', ratio(runs, 'xenreach check, threads', 'nmap -sT tuned', rate), 1),
      ],
      table: linesOf(runs, size),
    };
  },
};

function whole({ hosts, port, ports }: TcpField, lines: string): Contender {
  const spec = put('whole-check-spec.yaml', specOf(`${port}-${port + ports - 1}`));
  const addresses = Array.from({ length: hosts }, (_, i) => `127.1.0.${i + 1}`);
  const site = put(
    'whole-check-site.yaml',
    JSON.stringify({ name: 'bench', vantage: ['prober'], roles: { server: addresses } }),
  );
  const options = ['--format', 'ndjson', '--concurrency', '1024', '--rate', '1000000'];
  const argv = [...xenreach(), 'check', '--spec', spec, '--site', site, ...options];
  return { name: 'xenreach check', argv: ['sh', '-c', `exec "$0" "$@" > ${lines}`, ...argv] };
}

export const specOf = (ports: string): string => `
id: bench
title: Benchmark
revision: '1'
source: { title: Benchmark, product: none, sha256: '${'0'.repeat(64)}' }
sections: { ports: Ports }
roles: { prober: { title: Prober }, server: { title: Server } }
facts: {}
rows:
  - id: all-ports
    section: ports
    source: { table: none, row: 1 }
    from: prober
    to: server
    purpose: every port
    needs: [{ probe: tcp, ports: ['${ports}'] }]
`;
