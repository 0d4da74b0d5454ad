import { expect, test } from 'vitest';
import { accepting } from '../../src/wire/datagram.ts';
import { Reader } from '../../src/wire/reader.ts';

const accepts = accepting(
  (bytes) => new Reader(bytes).uint16(),
  (id) => id === 7,
);

test.for([
  ['ours', [0, 7], true],
  ['someone else’s', [0, 8], false],
  ['not the protocol', [0], true],
] as const)('a datagram that is %s', ([, bytes, taken]) => {
  expect(accepts(Uint8Array.from(bytes))).toBe(taken);
});

test('a bug in the decoder is not taken for bytes of the peer', () => {
  const broken = accepting(
    () => {
      throw new TypeError('a bug');
    },
    () => true,
  );
  expect(() => broken(new Uint8Array())).toThrow(TypeError);
});
