/** 200 connections each way, begun in one turn; then the event loop stands still for longer than their timeout. */
import { Deadlines } from '../../../src/net/deadlines.ts';
import { LoopConnector } from '../../../src/net/loop-connector.ts';
import { Scope } from '../../../src/net/scope.ts';
import { openTcp } from '../../../src/net/tcp.ts';

const count = 200;
const timeoutMs = 1000;
const blockedMs = 1500;

const deadlines = new Deadlines();
const lean = await new Promise<number>((resolve) => {
  let failed = 0;
  let told = 0;
  const connector = new LoopConnector<number>(deadlines, {
    timeoutMs,
    sourceAddress: undefined,
    counters: { connects: 0 },
    onResult: (_, failure) => {
      if (failure) failed += 1;
      told += 1;
      if (told === count) resolve(failed);
    },
  });
  for (let i = 0; i < count; i += 1) connector.start(i, '127.1.0.1', 10_000 + i);
  setImmediate(block);
});

const attempts = Array.from({ length: count }, async (_, i) => {
  const scope = new Scope(deadlines, timeoutMs);
  const socket = await openTcp(scope, '127.1.0.1', 10_000 + i);
  socket.destroy();
  scope.close();
});
setImmediate(block);
const results = await Promise.allSettled(attempts);
const scoped = results.filter(({ status }) => status === 'rejected').length;
process.stdout.write(`${JSON.stringify({ lean, scoped })}\n`);

function block(): void {
  const until = performance.now() + blockedMs;
  while (performance.now() < until);
}
