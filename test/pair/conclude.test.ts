/** What was seen here and what was seen there, together: the hint and the words, for every way that they can differ. */
import { expect, test } from 'vitest';
import type { Hint, Outcome, Stage } from '../../src/model/outcome.ts';
import { concluded, isSettledBy, withSizes } from '../../src/pair/conclude.ts';
import { askSizes, sizesFor } from '../../src/pair/talk.ts';
import type { Proof, Receipt } from '../../src/wire/pair.ts';
import { checkOf, seen } from '../support/builders.ts';

const way = { transport: 'tcp', port: 8892 } as const;
const receipt = (parts: Partial<Receipt> = {}): Receipt => ({
  ...{ transport: 'udp', port: 123, proof: 'receipt', seen: 0, bytes: 0, source: '192.0.2.7' },
  ...parts,
});

const cases: readonly (readonly [
  transport: 'tcp' | 'udp',
  outcome: Outcome,
  stage: Stage | null,
  came: { readonly seen: number; readonly bytes?: number; readonly proof?: Proof },
  as: 'bound' | 'held',
  hint: Hint | null,
])[] = [
  ['udp', 'timeout', 'exchange', { seen: 3, bytes: 128 }, 'bound', 'arrived'],
  ['udp', 'timeout', 'exchange', { seen: 0 }, 'bound', 'not-arrived'],
  ['udp', 'refused', 'exchange', { seen: 0 }, 'bound', 'refused-on-the-way'],
  ['udp', 'refused', 'exchange', { seen: 2, bytes: 128 }, 'bound', null],
  ['udp', 'unreachable', 'exchange', { seen: 0 }, 'bound', null],
  ['tcp', 'timeout', 'connect', { seen: 0 }, 'bound', 'not-arrived'],
  ['tcp', 'refused', 'connect', { seen: 0 }, 'bound', 'refused-on-the-way'],
  ['tcp', 'timeout', 'exchange', { seen: 0 }, 'bound', 'middlebox'],
  ['tcp', 'closed', 'exchange', { seen: 0 }, 'bound', 'middlebox'],
  ['tcp', 'garbled', 'exchange', { seen: 0 }, 'bound', 'middlebox'],
  ['tcp', 'closed', 'exchange', { seen: 1, bytes: 0 }, 'bound', 'middlebox'],
  ['tcp', 'timeout', 'exchange', { seen: 1, bytes: 128 }, 'bound', 'arrived'],
  ['udp', 'timeout', 'exchange', { seen: 1, proof: 'log' }, 'held', 'arrived'],
  ['udp', 'timeout', 'exchange', { seen: 1, proof: 'conntrack' }, 'held', 'arrived'],
  ['udp', 'timeout', 'exchange', { seen: 1, proof: 'capture' }, 'held', 'arrived'],
  ['udp', 'timeout', 'exchange', { seen: 0, proof: 'none' }, 'held', 'held'],
];

test.for(cases)('%s %s at %s, %o there, a port that is %s: %s', ([transport, outcome, stage, came, as, hint]) => {
  const check = checkOf({ transport });
  const observation = seen({ outcome, stage, attempts: 3, detail: 'what was seen' });
  expect(isSettledBy(check, observation, as)).toBe(true);
  const other = { as, receipt: receipt({ transport, ...came }), way, source: '192.0.2.7', isTranslated: () => false };
  const told = concluded(check, observation, other);
  expect(told.hint).toBe(hint);
  expect(told.outcome).toBe(outcome);
  expect(told.evidence['pair']).toMatchObject({
    port: as,
    seen: came.seen,
    back: false,
    asked: 'tcp 8892',
    nat: false,
  });
  if (hint !== null) expect(told.detail).toMatch(/^what was seen; \w/);
});

test('a connection that was not made here is not the one that was seen there', () => {
  for (const [outcome, hint] of [
    ['timeout', 'not-arrived'],
    ['refused', 'refused-on-the-way'],
  ] as const) {
    const stray = receipt({ transport: 'tcp', seen: 1, bytes: 0 });
    const other = { as: 'bound', receipt: stray, way, source: null, isTranslated: () => false } as const;
    const told = concluded(checkOf({ transport: 'tcp' }), seen({ outcome, stage: 'connect' }), other);
    expect(told).toMatchObject({ hint, evidence: { pair: { seen: 0 } } });
  }
});

test('two datagrams that were lost prove nothing yet', () => {
  const observation = seen({ outcome: 'timeout', stage: 'exchange', attempts: 2 });
  const other = { as: 'bound', receipt: receipt(), way, source: null, isTranslated: () => false } as const;
  expect(concluded(checkOf({ transport: 'udp' }), observation, other).hint).toBeNull();
});

test('where a service must answer, a port that it holds is judged by the rest of the run', () => {
  const observation = seen({ outcome: 'timeout', stage: 'exchange' });
  const other = {
    as: 'held',
    receipt: receipt({ proof: 'none' }),
    way,
    source: null,
    isTranslated: () => false,
  } as const;
  expect(concluded(checkOf({ transport: 'udp', isAnswerDue: true }), observation, other).hint).toBeNull();
});

test('nothing is concluded from an end that could not be asked', () => {
  const other = { as: 'bound', receipt: undefined, way: undefined, source: null, isTranslated: () => false } as const;
  const told = concluded(
    checkOf({ transport: 'udp' }),
    seen({ outcome: 'timeout', stage: 'exchange', attempts: 3 }),
    other,
  );
  expect(told.hint).toBeNull();
  expect(told.notes.join()).toContain('has it ended?');
});

test('the address that the other end saw is told where it is another', () => {
  const observation = seen({ outcome: 'timeout', stage: 'exchange', attempts: 3 });
  const other = {
    as: 'bound',
    receipt: receipt({ seen: 3, source: '198.51.100.1' }),
    way,
    source: '192.0.2.7',
  } as const;
  const told = concluded(checkOf({ transport: 'udp' }), observation, {
    ...other,
    isTranslated: (address) => address === '198.51.100.1',
  });
  expect(told.detail).toMatch(/saw 3 of 3, seen as 198\.51\.100\.1 there: addresses are translated on the way$/);
  expect(told.evidence['pair']).toMatchObject({ nat: true, sourceSeen: '198.51.100.1' });
});

test('this machine’s own trouble is nothing to ask the other end about', () => {
  for (const outcome of ['local', 'aborted'] as const)
    expect(isSettledBy(checkOf(), seen({ outcome }), 'bound')).toBe(false);
  expect(isSettledBy(checkOf({ transport: 'tcp' }), seen({ outcome: 'timeout' }), 'held')).toBe(false);
  expect(isSettledBy(checkOf({ transport: 'udp' }), seen({ outcome: 'refused' }), 'held')).toBe(false);
});

test('sizes: what gets through each way, and what vanishes without a word', async () => {
  const sizes = sizesFor('192.0.2.1', 1500);
  expect(sizes).toEqual([1372, 1472]);
  expect(sizesFor('2001:db8::1', 9000)).toEqual([1352, 1452, 8952]);
  const until =
    (there: number, back = there, silence: false | 'too-long' = false) =>
    ({ size = 0, isFull = false }: { size?: number; isFull?: boolean }) =>
      Promise.resolve(size <= (isFull ? back : there) ? true : silence);
  expect(await askSizes(until(1500), sizes)).toEqual({ there: 1472, back: 1472, blackHole: false });
  expect(await askSizes(until(1400), sizes)).toEqual({ there: 1372, back: 1372, blackHole: true });
  expect(await askSizes(until(1400, 1400, 'too-long'), sizes)).toEqual({ there: 1372, back: 1372, blackHole: false });
  expect(await askSizes(until(1500, 1400), sizes)).toEqual({ there: 1472, back: 1372, blackHole: true });
  expect(await askSizes(until(100), sizes)).toEqual({ there: 128, back: 128, blackHole: true });
});

test('a black hole is a warning on what goes by UDP', () => {
  const hole = { there: 1472, back: 1372, blackHole: true };
  const observation = seen({ evidence: { pair: { port: 'bound' } } });
  const told = withSizes(observation, checkOf({ transport: 'udp' }), hole);
  expect(told.warnings.join()).toMatch(/more than 1372 bytes vanish on the way back/);
  expect(told.evidence['pair']).toEqual({ port: 'bound', mtu: hole });
  expect(withSizes(observation, checkOf({ transport: 'tcp' }), hole)).toBe(observation);
});
