import { describe, expect, test } from 'vitest';
import { decodeError, decodeLength, encodeLength } from '../../src/wire/kerberos.ts';
import { expectBounded, recordedReplies } from '../support/strange-bytes.ts';

const recordings = recordedReplies('kerberos');
const mit = recordings.find((bytes) => Buffer.from(bytes).includes('CLIENT_NOT_FOUND'))!;

describe('KRB-ERROR', () => {
  test('of MIT Kerberos holds code, clock, realm, service and text', () => {
    expect(decodeError(mit)).toMatchObject({
      code: 6,
      name: 'KDC_ERR_C_PRINCIPAL_UNKNOWN',
      service: ['krbtgt', expect.any(String)],
      text: 'CLIENT_NOT_FOUND',
    });
  });

  test.for([
    ['another version', 'a003020105', 'a003020104', 'Kerberos version 4 where 5 belongs'],
    ['another message', 'a10302011e', 'a10302010b', 'message type 11 where 30 belongs'],
    ['no time', '3230323631313233', '3230323631333233', 'is no time'],
    ['no KRB-ERROR', '7e', '7f', 'tag 0x7f where 0x7e belongs'],
  ] as const)('%s', ([, from, to, message]) => {
    const changed = Buffer.from(Buffer.from(mit).toString('hex').replace(from, to), 'hex');
    expect(() => decodeError(changed)).toThrow(message);
  });

  test('an unknown code is told by its number', () => {
    const changed = Buffer.from(Buffer.from(mit).toString('hex').replace('a603020106', 'a60302017f'), 'hex');
    expect(decodeError(changed).name).toBe('error 127');
  });

  test('any bytes give an error message or a DecodeError', () => {
    expectBounded(decodeError, recordings);
  });
});

describe('the length in front of a message on TCP', () => {
  test('is four bytes', () => {
    expect([...encodeLength(Uint8Array.of(1, 2, 3))]).toEqual([0, 0, 0, 3, 1, 2, 3]);
    expect(decodeLength(Uint8Array.of(0, 0, 0, 3))).toBe(3);
  });

  test.for([0, 65_537, 0x80000001, 0xffffffff])('is not %i', (length) => {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(length);
    expect(() => decodeLength(prefix)).toThrow(`a message of ${length} bytes`);
  });

  test('any bytes give a length or a DecodeError', () => {
    expectBounded(decodeLength, []);
  });
});
