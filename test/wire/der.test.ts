import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { context, DerReader, encode, encodeInteger, encodeText, tags } from '../../src/wire/der.ts';
import { DecodeError } from '../../src/wire/reader.ts';
import { expectBounded } from '../support/strange-bytes.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const reading = (text: string): DerReader => new DerReader(Buffer.from(text, 'hex'));

test.for([
  [0, '020100'],
  [127, '02017f'],
  [128, '02020080'],
  [255, '020200ff'],
  [256, '02020100'],
  [0x7fffffff, '02047fffffff'],
] as const)('the integer %i is %s, both ways', ([value, text]) => {
  expect(hex(encodeInteger(value))).toBe(text);
  expect(reading(text).integer()).toBe(value);
});

test('integers are two’s complement', () => {
  expect(reading('0201ff').integer()).toBe(-1);
  expect(reading('0202ff7f').integer()).toBe(-129);
});

test('every positive integer of 31 bits comes back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x7fffffff }), (value) => {
      expect(new DerReader(encodeInteger(value)).integer()).toBe(value);
    }),
  );
});

test.for([0, 1, 127, 128, 255, 256, 65_535, 65_536])('%i bytes in nested elements come back', (length) => {
  const octets = new Uint8Array(length).fill(7);
  const whole = encode(tags.sequence, encode(context(3), encode(tags.octetString, octets)), encodeText('after'));
  const reader = new DerReader(whole);
  const inside = reader.enter(tags.sequence);
  expect(hex(inside.enter(context(3)).octets())).toBe(hex(octets));
  expect(hex(inside.octets(tags.generalString))).toBe(hex(Buffer.from('after')));
  expect([inside.isDone, reader.isDone]).toEqual([true, true]);
});

test('a length longer than it need be is read, as Active Directory writes it', () => {
  expect(reading('308400000003020105').enter(tags.sequence).integer()).toBe(5);
});

test('an optional element is there or not', () => {
  const reader = reading('020105');
  expect(reader.enterIf(context(1))).toBeUndefined();
  expect(reader.enterIf(tags.integer)).toBeDefined();
  expect(reader.enterIf(tags.integer)).toBeUndefined();
});

test.for([
  ['nothing', '', 'the element is cut short (at byte 0)'],
  ['another tag', '0401ff', 'tag 0x04 where 0x02 belongs (at byte 0)'],
  ['an indefinite length', '0280', 'a length in the form 0x80 (at byte 1)'],
  ['a length of five bytes', '02850000000001ff', 'a length in the form 0x85 (at byte 1)'],
  ['more than there is', '0204ffff', 'need 4 bytes, have 2 (at byte 2)'],
  ['no bytes of number', '0200', 'an integer of 0 bytes (at byte 0)'],
  ['five bytes of number', '02050000000001', 'an integer of 5 bytes (at byte 0)'],
] as const)('no integer: %s', ([, text, message]) => {
  expect(() => reading(text).integer()).toThrow(new DecodeError(message.replace(/ \(at.*/, ''), offsetIn(message)));
});

test('an element cannot reach beyond what holds it', () => {
  const inner = reading('30030204000000').enter(tags.sequence);
  expect(() => inner.integer()).toThrow('need 4 bytes, have 1');
});

test('a tag of more than one byte is none of ours', () => {
  expect(() => {
    reading('1f8101').skip();
  }).toThrow('a tag of more than one byte');
});

test('any bytes give values or a DecodeError', () => {
  expectBounded((bytes) => {
    for (const reader = new DerReader(bytes); !reader.isDone;) reader.skip();
  }, []);
  expectBounded((bytes) => new DerReader(bytes).enter(tags.sequence).enter(tags.sequence).integer(), []);
});

function offsetIn(message: string): number {
  return Number(/at byte (\d+)/.exec(message)?.[1]);
}
