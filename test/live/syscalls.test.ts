/** The one benchmark without noise: a change that costs a closed connect a system call more is found here. */
import { expect, test } from 'vitest';
import { syscalls } from '../bench/syscalls.ts';
import { whyNotLive } from '../support/netns.ts';

test.skipIf(whyNotLive('strace') !== null)('a closed connect takes its six system calls at most', async () => {
  const told = await syscalls.run({ rounds: 1, scale: 1 });
  expect('figures' in told ? told.figures.filter(({ met }) => !met) : told).toEqual([]);
});
