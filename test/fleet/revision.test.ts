import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { newKey, type Key } from '../../src/fleet/keys.ts';
import { readRevision, signRevision } from '../../src/fleet/revision.ts';

const revision = {
  site: 'lon-pool-1',
  number: 12,
  spec: { id: 'xenserver-8', sha256: 'a'.repeat(64) },
  watch: { every: '5m' },
  yaml: 'name: lon-pool-1\nroles: { ntp-server: 10.0.0.5 } # "signature":"no"\n',
};

let key: Key;
let bytes: Buffer;
beforeAll(async () => {
  key = await newKey();
  bytes = Buffer.from(await signRevision(revision, key));
});

test('what was signed is read as it was', async () => {
  const read = await readRevision(bytes, [(await newKey()).name, key.name]);
  expect(read).toEqual({ revision: { schema: 'xenreach.site-revision/1', ...revision, by: key.name } });
});

test('with any bit turned it is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (at, bit) => {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << bit;
      expect(await readRevision(changed, [key.name])).toHaveProperty('refused');
    }),
    { numRuns: 500 },
  );
});

test('with anything left out or added it is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length), fc.nat(20), fc.uint8Array({ maxLength: 5 }), async (at, count, more) => {
      const changed = Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + count)]);
      fc.pre(!changed.equals(bytes));
      expect(await readRevision(changed, [key.name])).toHaveProperty('refused');
    }),
    { numRuns: 500 },
  );
});

test('any bytes are read or refused', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => new TextEncoder().encode(text)),
      ),
      async (any) => {
        expect(await readRevision(any, [key.name])).toHaveProperty('refused');
      },
    ),
  );
});

test('a stranger’s is refused with the name of the stranger, and a signature of another text', async () => {
  const stranger = await newKey();
  expect(await readRevision(Buffer.from(await signRevision(revision, stranger)), [key.name])).toEqual({
    refused: `the revision is signed by ${stranger.name}, which is none of this agent's operators`,
  });
  const [mine, other] = [bytes.toString(), await signRevision({ ...revision, number: 13 }, key)].map((text) =>
    text.split(',"signature"'),
  );
  const mixed = Buffer.from(`${mine![0]},"signature"${other![1]}`);
  expect(await readRevision(mixed, [key.name])).toMatchObject({ refused: expect.stringContaining('does not hold') });
});

test('a shape that is not known, a number that is none and one that is too large are refused', async () => {
  const refusal = async (change: object): Promise<unknown> =>
    readRevision(Buffer.from(await signRevision({ ...revision, ...change }, key)), [key.name]);
  expect(await refusal({ number: 0.5 })).toMatchObject({ refused: expect.stringContaining('a shape that') });
  expect(await refusal({ site: 'a.b' })).toMatchObject({ refused: expect.stringContaining('a shape that') });
  expect(await refusal({ watch: { notify: [] } })).toMatchObject({ refused: expect.stringContaining('a shape that') });
  expect(await refusal({ yaml: 'x'.repeat(600_000) })).toEqual({ refused: 'the revision has more than 512 KiB' });
});
