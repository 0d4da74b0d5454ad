/**
 * 40,000 questions to one server. A check asks two of them, from a socket of its own (ICMP must be seen); the others keep
 * one socket for all.
 */
import { atLeast, linesOf, ratio, speed, type Benchmark } from './kit/benchmark.ts';
import { contest } from './kit/contest.ts';
import { client, put, whyNot } from './kit/tools.ts';

export const dns: Benchmark = {
  name: 'dns',
  about: '40,000 questions to unbound',
  async run({ rounds, scale }) {
    const skipped = whyNot('unbound', 'dnsperf');
    if (skipped !== undefined) return { skipped };
    const checks = Math.ceil(80 * scale);
    const count = 250 * checks * 2;
    const conf = put('unbound.conf', unboundConf);
    const names = put('dnsperf.txt', 'a.bench.test A\n'.repeat(count));
    const options = JSON.stringify({ query: 'a.bench.test', type: 'A' });
    const runs = await contest({
      rounds,
      contenders: [
        { name: 'dnsperf', argv: ['dnsperf', '-s', '127.1.0.1', '-d', names, '-c', '1', '-q', '256', '-n', '1'] },
        { name: "dns2's client", argv: [...client('dns2'), `${count}`] },
        {
          name: 'xenreach pool',
          argv: [
            ...client('pool'),
            '--probe',
            'dns',
            '--options',
            options,
            '--port',
            '53',
            '--ports',
            '1',
            '--repeat',
            `${checks}`,
          ],
        },
      ],
      prepare: (space) => space.serve(['unbound', '-d', '-c', conf], { ready: 'start of service' }),
    });
    return {
      figures: [atLeast("rate / dns2's client", ratio(runs, 'xenreach pool', "dns2's client", speed), 1.6)],
      table: linesOf(runs, count),
    };
  },
};

const unboundConf = `
server:
  verbosity: 1
  use-syslog: no
  username: ""
  chroot: ""
  directory: "/tmp"
  pidfile: ""
  num-threads: 1
  interface: 0.0.0.0
  interface-automatic: yes
  so-rcvbuf: 4m
  access-control: 127.0.0.0/8 allow
  local-zone: "bench.test." static
  local-data: "a.bench.test. A 192.0.2.1"
remote-control:
  control-enable: no
`;
