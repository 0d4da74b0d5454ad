import * as v from 'valibot';
import { expect, test } from 'vitest';
import { tcp } from '../../probes/tcp.ts';
import { ending } from '../support/endings.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'peer.test', address: '192.0.2.1', port: 27_000, transport: 'tcp' } as const;
const withOptions = (given: object) => v.parse(tcp.options, given);

test('a completed handshake is all there is to say', async () => {
  const io = scriptedIo({ steps: [] });
  expect(await tcp.run(io, target, withOptions({}))).toEqual({
    outcome: 'answered',
    detail: 'handshake completed',
    evidence: {},
  });
  expect(io.sent).toEqual([]);
});

test('a connection that is closed at once is an answer with a warning', async () => {
  const io = { ...scriptedIo({ steps: [] }), closesWithin: () => Promise.resolve(true) };
  const answer = await tcp.run(io, target, withOptions({ linger: 300 }));
  expect(answer).toMatchObject({ outcome: 'answered', evidence: { acceptedThenClosed: true } });
  expect(io.warnings).toEqual([expect.stringContaining('accepted and closed at once')]);
});

test('without linger nobody waits for the close', async () => {
  const io = { ...scriptedIo({ steps: [] }), closesWithin: () => Promise.reject(new Error('waited')) };
  const answer = await tcp.run(io, target, withOptions({}));
  expect(answer.outcome).toBe('answered');
});

test.for([
  ['the pattern comes', { expect: '^220 ' }, { send: '', reply: '323230206d61696c0d0a' }, 'answered'],
  [
    'after what was sent',
    { send: String.raw`NOOP\r\n`, expect: 'OK' },
    { send: '4e4f4f500d0a', reply: '4f4b' },
    'answered',
  ],
  ['something else comes and stays', { expect: '^220 ' }, { send: '', reply: '00'.repeat(4096) }, 'garbled'],
  ['nothing comes', { expect: '^220 ' }, { send: '', reply: '' }, 'timeout'],
  ['the peer closes first', { expect: '^220 ' }, { send: '', reply: '3232', closes: true }, 'closed'],
] as const)('expecting a pattern: %s', async ([, options, step, outcome]) => {
  const io = scriptedIo({ steps: [step] });
  expect(await ending(tcp.run(io, target, withOptions(options)))).toMatchObject({ outcome });
});

test.for([{ expect: '(' }, { send: '0x0' }, { send: String.raw`\q` }, { linger: -1 }, { other: 1 }])(
  'options that mean nothing are refused: %o',
  (options) => {
    expect(v.safeParse(tcp.options, options).success).toBe(false);
  },
);
