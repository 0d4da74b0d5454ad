import { describe, expect, test } from 'vitest';
import { decodeDump2, decodeDump4, portOf } from '../../src/wire/rpcbind.ts';
import { expectBounded, recordedReplies } from '../support/strange-bytes.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** Record mark and reply header are 28 bytes. */
const results = recordedReplies('rpcbind')
  .filter((bytes) => bytes.length > 100)
  .map((bytes) => bytes.subarray(28));
const dump4 = results.find((bytes) => Buffer.from(bytes).includes('tcp6'))!;
const dump2 = results.find((bytes) => bytes !== dump4)!;
const nfsOn = (protocol: string, port: string): Uint8Array =>
  hex(`00000001 000186a3 00000003 ${protocol} ${port} 00000000`);

describe('version 2', () => {
  test('lists programs, versions, transports and ports', () => {
    const registrations = decodeDump2(dump2);
    expect(registrations).toHaveLength(20);
    expect(registrations).toContainEqual({ program: 100_005, version: 3, netid: 'tcp', port: 20_048 });
    expect(registrations).toContainEqual({ program: 100_021, version: 4, netid: 'udp', port: 32_803 });
  });

  test('entries of another transport, or with no port, say nothing', () => {
    expect(decodeDump2(nfsOn('00000084', '00000801'))).toEqual([]);
    expect(decodeDump2(nfsOn('00000006', '00000000'))).toEqual([]);
  });

  test.for([
    ['no such port: 65536', nfsOn('00000006', '00010000')],
    ['2 where a list goes on', hex('00000002')],
    ['need 4 bytes', hex('00000001 000186a3')],
    [
      'more than 1024 registrations',
      Buffer.concat(Array.from({ length: 1025 }, () => nfsOn('00000006', '00000801').subarray(0, 20))),
    ],
  ] as const)('is refused: %s', ([message, bytes]) => {
    expect(() => decodeDump2(bytes)).toThrow(message);
  });

  test('any bytes give a list or a DecodeError', () => {
    expectBounded(decodeDump2, results);
  });
});

describe('version 4', () => {
  test('lists IPv6 as well, and leaves out what is no port', () => {
    const registrations = decodeDump4(dump4);
    expect(registrations).toContainEqual({ program: 100_005, version: 3, netid: 'tcp6', port: 20_048 });
    expect(new Set(registrations.map(({ netid }) => netid))).toEqual(new Set(['tcp', 'tcp6', 'udp', 'udp6']));
  });

  test('any bytes give a list or a DecodeError', () => {
    expectBounded(decodeDump4, [dump4]);
  });
});

test.for([
  ['192.0.2.1.8.1', 2049],
  ['::.0.111', 111],
  ['0.0.0.0.255.255', 65_535],
] as const)('%s is port %i', ([address, port]) => {
  expect(portOf(address)).toBe(port);
});

test.for(['', '/run/rpcbind.sock', '1.256', '192.0.2.1.256.0', '192.0.2.1.1.256', '.999.999'])(
  '"%s" has no port',
  (address) => {
    expect(() => portOf(address)).toThrow('not a universal address');
  },
);
