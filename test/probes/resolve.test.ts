import { expect, test } from 'vitest';
import { resolve } from '../../probes/resolve.ts';
import { NetError } from '../../src/model/errors.ts';
import { ending } from '../support/endings.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'xs1.example.test', address: 'xs1.example.test', port: 53, transport: 'udp' } as const;

test('the target is the name, and its addresses are the evidence', async () => {
  const asked: string[] = [];
  const ask = (name: string) => {
    asked.push(name);
    return Promise.resolve(['192.0.2.1', '2001:db8::1']);
  };
  const answer = await resolve.run({ ...scriptedIo({ steps: [] }), resolve: ask }, target, {});
  expect(asked).toEqual(['xs1.example.test']);
  expect(answer).toEqual({
    outcome: 'answered',
    detail: 'xs1.example.test is 192.0.2.1, 2001:db8::1',
    evidence: { addresses: ['192.0.2.1', '2001:db8::1'] },
  });
  expect(resolve.perAddress).toBe(false);
});

test('a name without an address is unresolved', async () => {
  const missing = new NetError({ outcome: 'unresolved', stage: 'resolve', detail: 'no such name' });
  const run = resolve.run({ ...scriptedIo({ steps: [] }), resolve: () => Promise.reject(missing) }, target, {});
  expect(await ending(run)).toMatchObject({ outcome: 'unresolved' });
});
