import { expect, test } from 'vitest';
import { decodeServiceReply, encodeServiceQuery } from '../../src/wire/dns-srv.ts';
import { expectBounded } from '../support/strange-bytes.ts';

// The DNS server of Samba 4.17: the target "dc1" is followed by a pointer into the question.
const samba = Buffer.from(
  '123485800001000100010000055f6c646170045f746370026463065f6d7364637302616' +
    '4036c616204746573740000210001c00c0021000100000384000c00000064018503646331c021c01a0006000100000e10' +
    '0023c0440a686f73746d6173746572c0210000000100000384000002580001518000000e10',
  'hex',
);

test('a question is the name, SRV and the class of the Internet', () => {
  const bytes = Buffer.from(encodeServiceQuery(0x1234, '_ldap._tcp.lab.'));
  expect(bytes.toString('hex')).toBe('123401000001000000000000055f6c646170045f746370036c61620000210001');
});

test.for(['', 'a..b', `${'x'.repeat(64)}.lab`])('%j is no name to ask for', (name) => {
  expect(() => encodeServiceQuery(1, name)).toThrow('no domain name');
});

test('a target may be compressed', () => {
  expect(decodeServiceReply(samba, 0x1234)).toEqual({
    rcode: 0,
    records: [{ name: 'dc1.ad.lab.test', port: 389, priority: 0, weight: 100 }],
  });
});

test('an answer is ours by its id, and an answer', () => {
  expect(() => decodeServiceReply(samba, 1)).toThrow('id 4660 where 1 was asked');
  expect(() => decodeServiceReply(encodeServiceQuery(7, 'lab'), 7)).toThrow('a question where an answer belongs');
});

test('any bytes give records or a DecodeError', () => {
  expectBounded((bytes) => decodeServiceReply(bytes, 0x1234), [samba]);
});
