/** JSON-RPC as hosts of every age write it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeReply, encodeCall } from '../../src/wire/jsonrpc.ts';
import { DecodeError } from '../../src/wire/reader.ts';

test('a call has its parameters by position, and an id', () => {
  expect(JSON.parse(encodeCall('pool.get_all', ['OpaqueRef:1'], 7))).toEqual({
    jsonrpc: '2.0',
    method: 'pool.get_all',
    params: ['OpaqueRef:1'],
    id: 7,
  });
});

test.for<[string, string, unknown]>([
  ['version 2', '{"jsonrpc":"2.0","result":["a"],"id":1}', { result: ['a'] }],
  ['version 1', '{"result":"","error":null,"id":1}', { result: '' }],
  [
    'an error of version 2',
    '{"jsonrpc":"2.0","error":{"code":1,"message":"SESSION_INVALID","data":["OpaqueRef:1"]},"id":1}',
    { fault: { code: 'SESSION_INVALID', parameters: ['OpaqueRef:1'] } },
  ],
  [
    'an error of version 1',
    '{"result":null,"error":["HOST_IS_SLAVE","10.0.0.1"],"id":1}',
    { fault: { code: 'HOST_IS_SLAVE', parameters: ['10.0.0.1'] } },
  ],
  [
    'floats that are no JSON',
    String.raw`{"result":{"a":Infinity,"b":-Infinity,"c":NaN,"d":"Infinity \" NaN"},"id":1}`,
    { result: { a: null, b: null, c: null, d: 'Infinity " NaN' } },
  ],
])('%s', ([, text, reply]) => {
  expect(decodeReply(text, 1)).toEqual(reply);
});

test.for<[string, string]>([
  ['markup', '<html><body>500</body></html>'],
  ['XML-RPC', '<?xml version="1.0"?><methodResponse/>'],
  ['nothing', ''],
  ['half an answer', '{"result":{"a'],
  ['a list', '[]'],
  ['neither result nor error', '{"id":1}'],
  ['an error without a name', '{"error":{"code":1},"id":1}'],
  ['the answer to another call', '{"result":1,"id":2}'],
  ['a hundred thousand levels', `{"result":${'['.repeat(100_000)}${']'.repeat(100_000)},"id":1}`],
])('%s is no reply', ([, text]) => {
  expect(() => decodeReply(text, 1)).toThrow(DecodeError);
});

test('any text is a reply or a DecodeError', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((json) => `{"id":1,"result":${json}}`),
      ),
      (text) => {
        try {
          decodeReply(text, 1);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      },
    ),
  );
});

test('a value under a name of every object is a value, and nothing more', () => {
  const reply = decodeReply('{"result":{"__proto__":{"polluted":true}},"id":1}', 1);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  expect(reply.fault).toBeUndefined();
});
