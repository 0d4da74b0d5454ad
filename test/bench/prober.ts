/** The tcp module of blackbox_exporter, asked over HTTP as Prometheus would, beside the pool over the same endpoints. */
import { atLeast, atMost, cpuOf, linesOf, ratio, speed, type Benchmark } from './kit/benchmark.ts';
import { contest } from './kit/contest.ts';
import { pool, sizeOf } from './kit/tcp.ts';
import { client, put, reference, whyNot } from './kit/tools.ts';

export const prober: Benchmark = {
  name: 'prober',
  about: '10,000 probes by the tcp module of blackbox_exporter',
  async run({ rounds, scale }) {
    const skipped = whyNot('prometheus-blackbox-exporter');
    if (skipped !== undefined) return { skipped };
    const field = { hosts: 250, port: 10_000, ports: Math.ceil(40 * scale) };
    const config = put('blackbox.yml', 'modules: { tcp: { prober: tcp, timeout: 5s } }\n');
    const count = `${sizeOf(field)}`;
    const runs = await contest({
      rounds,
      contenders: [
        { name: 'blackbox_exporter', argv: [...client('blackbox'), config, `${field.ports}`, count], isFree: true },
        pool(field),
      ],
      prepare: (space) => space.serve([reference('tcp-server'), `${field.port}`, `${field.ports}`]),
    });
    return {
      figures: [
        atLeast('probes a second', ratio(runs, 'xenreach pool', 'blackbox_exporter', speed), 4),
        atMost('CPU a probe', ratio(runs, 'xenreach pool', 'blackbox_exporter', cpuOf), 0.2),
      ],
      table: linesOf(runs, sizeOf(field)),
    };
  },
};
