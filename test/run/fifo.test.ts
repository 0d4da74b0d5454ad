import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from '../../src/run/fifo.ts';

test('what went in first comes out first, however pushes and takes are mixed', () => {
  const steps = fc.array(fc.oneof(fc.constant('take'), fc.nat({ max: 50 })), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (mixed) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      let count = 0;
      for (const step of mixed) {
        if (typeof step === 'string') for (let i = 0; i < 30; i += 1) expect(fifo.take()).toBe(model.shift());
        else for (const until = count + step; count < until; count += 1) for (const to of [fifo, model]) to.push(count);
        expect(fifo.isEmpty).toBe(model.length === 0);
      }
    }),
  );
});

test('a cleared one is empty', () => {
  const fifo = new Fifo<string>();
  for (const item of ['a', 'b']) fifo.push(item);
  fifo.take();
  fifo.clear();
  expect([fifo.isEmpty, fifo.take()]).toEqual([true, undefined]);
});
