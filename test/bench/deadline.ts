/** Thousands of peers that accept and stay mute beside healthy ones: nobody waits for them, and each is told in time. */
import { atMost, type Benchmark } from './kit/benchmark.ts';
import { contest, median } from './kit/contest.ts';
import { pool } from './kit/tcp.ts';
import { reference, whyNot } from './kit/tools.ts';

const mute = 4096;
const healthy = 1000;

export const deadline: Benchmark = {
  name: 'deadline',
  about: '4,096 mute peers and 1,000 healthy ones at once, timeout 2 s',
  async run({ rounds }) {
    const skipped = whyNot();
    if (skipped !== undefined) return { skipped };
    const field = { hosts: 196, port: 10_000, ports: 26 };
    const runs = await contest({
      rounds,
      contenders: [pool(field, '--mute', `${mute}`, '--concurrency', '6000', '--per-host', '64', '--timeout', '2000')],
      prepare: (space) => space.serve([reference('tcp-server'), `${field.port}`, `${field.ports}`]),
    });
    const told = runs.get('xenreach pool')!.map((each) => each.told);
    return {
      figures: [
        atMost('healthy ones that failed', Math.max(...told.map(({ answered = 0 }) => healthy - answered)), 0),
        atMost('mute ones not told as such', Math.max(...told.map(({ timeout = 0 }) => mute - timeout)), 0),
        atMost('p99 of deadline error in ms', median(told.map(({ lateP99 = NaN }) => lateP99)), 50),
      ],
    };
  },
};
