import { describe, expect, test } from 'vitest';
import { decodeCallAnswer, xapi } from '../../probes/xapi.ts';
import { NetError } from '../../src/model/errors.ts';
import type { SecureOptions } from '../../src/model/probe.ts';
import { expectBounded, hostileReplies, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';
import { expectOutcomes } from '../support/mutilate.ts';
import { scriptedIo, type ScriptedIo } from '../support/scripted-io.ts';

const target = { host: 'xs1.test', address: '192.0.2.5', port: 443, transport: 'tcp' } as const;
const uuid = 'abababab-abab-4bab-abab-abababababab';
const text = (line: string): Uint8Array => Buffer.from(line);
const http = (body: string, status = '200 OK'): string =>
  Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`).toString('hex');
const alive = http(JSON.stringify({ jsonrpc: '2.0', result: uuid, id: 1 }));

function recordingSecure(io: ScriptedIo, failsFor?: string): { io: ScriptedIo; secured: SecureOptions[] } {
  const secured: SecureOptions[] = [];
  const secure: ScriptedIo['secure'] = (conn, options = {}) => {
    secured.push(options);
    if (failsFor !== undefined && options.servername === failsFor) {
      return Promise.reject(new NetError({ outcome: 'tls-failed', stage: 'tls', detail: 'no such name' }));
    }
    return Promise.resolve(conn);
  };
  return { io: { ...io, secure }, secured };
}

describe('certificates', () => {
  test('are observed: the host under its name, the pool under its own', async () => {
    const { io, secured } = recordingSecure(scriptedIo({ steps: [{ reply: alive, closes: true }] }));
    await xapi.run(io, target, { tls: true, pool: true });
    expect(secured).toEqual([
      { trust: 'observe', evidenceName: 'certificate' },
      { servername: 'xapi:pool', trust: 'observe', evidenceName: 'poolCertificate' },
    ]);
    expect(io.notes).toEqual([]);
  });

  test('a pool certificate that is not to be had is a note', async () => {
    const { io } = recordingSecure(scriptedIo({ steps: [{ reply: alive, closes: true }] }), 'xapi:pool');
    expect(await xapi.run(io, target, { tls: true, pool: true })).toMatchObject({ outcome: 'answered' });
    expect(io.notes).toEqual(['the pool certificate could not be seen: no such name']);
  });

  test.for([
    [{ tls: true, pool: false }, 1],
    [{ tls: false, pool: true }, 0],
  ] as const)('with %j there are %i handshakes', async ([options, handshakes]) => {
    const { io, secured } = recordingSecure(scriptedIo({ steps: [{ reply: alive, closes: true }] }));
    await xapi.run(io, target, options);
    expect(secured).toHaveLength(handshakes);
  });
});

test('the request head is well under the 1024 bytes that XAPI reads', async () => {
  const io = scriptedIo({ steps: [{ reply: alive, closes: true }] });
  await xapi.run(io, { ...target, host: 'x'.repeat(253) }, { tls: false, pool: false });
  const [head = ''] = Buffer.from(io.sent[0]!, 'hex').toString().split('\r\n\r\n');
  expect(head.length).toBeLessThan(512);
});

test.for([
  ['2001:db8::5', '[2001:db8::5]'],
  ['fe80::5%eth0', '[fe80::5]'],
  ['xs01.example.test.', 'xs01.example.test'],
] as const)('%s is asked for as %s', async ([host, sent]) => {
  const io = scriptedIo({ steps: [{ reply: alive, closes: true }] });
  await xapi.run(io, { ...target, host }, { tls: false, pool: false });
  expect(Buffer.from(io.sent[0]!, 'hex').toString()).toContain(`Host: ${sent}\r\n`);
});

test.for([
  ['{"result":"x","id":1}', { kind: 'result', result: 'x' }],
  ['{"result":"x","error":null,"id":1}', { kind: 'result', result: 'x' }],
  ['{"error":{"code":1,"message":"A_B","data":["c",2]}}', { kind: 'error', code: 'A_B', parameters: ['c', '2'] }],
  ['{"error":{"message":"A_B"}}', { kind: 'error', code: 'A_B', parameters: [] }],
  ['{"result":null,"error":["A_B","c"]}', { kind: 'error', code: 'A_B', parameters: ['c'] }],
] as const)('%s', ([body, answer]) => {
  expect(decodeCallAnswer(text(body))).toEqual(answer);
});

test.for(['', '{', '[]', 'null', '1', '{}', '{"result":7}', '{"error":[]}', '{"error":"x"}', '['.repeat(60_000)])(
  'garbled: %s',
  async (body) => {
    expect(() => decodeCallAnswer(text(body))).toThrow('HTTP, but not XAPI');
    expect(await outcomeOf(xapi, { steps: [{ reply: http(body), closes: true }] })).toBe('garbled');
  },
);

test.for([
  ['parameters that have no text', '{"error":["HOST_IS_SLAVE",{"toString":0,"valueOf":0}]}'],
  ['parameters as deep as the body is long', `{"error":["HOST_IS_SLAVE",${'['.repeat(30_000)}${']'.repeat(30_000)}]}`],
] as const)('%s are not unfolded', ([, body]) => {
  expect(decodeCallAnswer(text(body))).toEqual({ kind: 'error', code: 'HOST_IS_SLAVE', parameters: ['…'] });
});

test('an error that is no XAPI code is garbled', async () => {
  const reply = http('{"error":{"code":-32601,"message":"Method not found"}}');
  expect(await outcomeOf(xapi, { steps: [{ reply, closes: true }] })).toBe('garbled');
});

test.for([
  ['500 Internal Error', 'declined'],
  ['502 Bad Gateway', 'declined'],
  ['404 Not Found', 'garbled'],
  ['401 Unauthorized', 'garbled'],
] as const)('HTTP %s is %s', async ([status, outcome]) => {
  const page = { reply: http('<html></html>', status), closes: true };
  expect(await outcomeOf(xapi, { steps: [page, page] })).toBe(outcome);
});

test('the product page of a host that takes no calls here is an answer', async () => {
  const steps = [
    { reply: http('', '404 Not Found'), closes: true },
    { reply: http('<html><title>Welcome to XCP-ng Host</title></html>'), closes: true },
  ];
  expect(await outcomeOf(xapi, { steps }, { pool: false })).toBe('answered');
});

test.for(hostileReplies)('%s is no answer', async ([name, reply]) => {
  const isShort = ['nothing', 'one byte'].includes(name);
  const steps = [
    { reply, closes: true },
    { reply, closes: true },
  ];
  expect(await outcomeOf(xapi, { steps })).toBe(isShort ? 'closed' : 'garbled');
});

test('any bytes give an answer to a call or a DecodeError', () => {
  const bodies = recordedReplies('xapi').map((bytes) => bytes.subarray(Buffer.from(bytes).indexOf('\r\n\r\n') + 4));
  expectBounded(decodeCallAnswer, bodies);
});

test('a damaged conversation comes to an outcome', () => expectOutcomes('xapi', xapi), 20_000);
