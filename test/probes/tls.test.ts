import * as v from 'valibot';
import { expect, test } from 'vitest';
import { tls } from '../../probes/tls.ts';
import { NetError } from '../../src/model/errors.ts';
import type { SecureOptions } from '../../src/model/probe.ts';
import { ending } from '../support/endings.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'peer.test', address: '192.0.2.1', port: 443, transport: 'tcp' } as const;

test.for([
  [{}, { trust: 'verify' }],
  [
    { trust: 'observe', servername: 'dc1.example.test' },
    { trust: 'observe', servername: 'dc1.example.test' },
  ],
] as const)('%o asks for a session with %o', async ([given, wanted]) => {
  const asked: (SecureOptions | undefined)[] = [];
  const io = scriptedIo({ steps: [] });
  const secure: typeof io.secure = (conn, options) => {
    asked.push(options);
    return Promise.resolve(conn);
  };
  expect(await tls.run({ ...io, secure }, target, v.parse(tls.options, given))).toMatchObject({ outcome: 'answered' });
  expect(asked).toEqual([wanted]);
});

test('a certificate that is not acceptable is the outcome', async () => {
  const expired = new NetError({ outcome: 'untrusted', stage: 'tls', detail: 'expired' });
  const run = tls.run(
    { ...scriptedIo({ steps: [] }), secure: () => Promise.reject(expired) },
    target,
    v.parse(tls.options, {}),
  );
  expect(await ending(run)).toMatchObject({ outcome: 'untrusted' });
});
