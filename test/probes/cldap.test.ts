import { expect, test } from 'vitest';
import { cldap } from '../../probes/cldap.ts';
import { decodeNetlogon, decodePingReply, encodePing } from '../../src/wire/ldap-ping.ts';
import { expectBounded, hostileReplies, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';

const recordings = recordedReplies('cldap');
const entry = recordings.find((bytes) => bytes.length > 100)!;
const change = (from: string, to: string): string => Buffer.from(entry).toString('hex').replace(from, to);
const random = ['0002'];

test('the domain is in the filter only when there is one', () => {
  expect(Buffer.from(encodePing(1, 'ad.lab')).includes('DnsDomain')).toBe(true);
  expect(Buffer.from(encodePing(1)).includes('DnsDomain')).toBe(false);
});

test('a domain is compared without regard to case or a closing dot', async () => {
  const reply = Buffer.from(entry).toString('hex');
  expect(await outcomeOf(cldap, { random, steps: [{ reply }] }, { domain: 'AD.LAB.' })).toBe('answered');
});

test('a paused Netlogon service declines, an unknown user does not matter', async () => {
  expect(await outcomeOf(cldap, { random, steps: [{ reply: change('04581700', '04581800') }] })).toBe('declined');
  expect(await outcomeOf(cldap, { random, steps: [{ reply: change('04581700', '04581900') }] })).toBe('answered');
});

test('the old form of the answer is not the one we asked for', () => {
  expect(() => decodePingReply(Buffer.from(change('04581700', '04581300'), 'hex'))).toThrow('opcode 19');
});

test('a directory that refuses the search declines', async () => {
  expect(await outcomeOf(cldap, { random, steps: [{ reply: '300c02010265070a013504000400' }] })).toBe('declined');
});

test('who does not serve the domain declines, whether it says which one it serves or not', async () => {
  const nothing = '300c02010265070a010004000400';
  const options = { domain: 'other.test' };
  for (const second of ['', '48545450', nothing]) {
    const outcome = await outcomeOf(
      cldap,
      { random: ['0002', '0002'], steps: [{ reply: nothing }, { reply: second }] },
      options,
    );
    expect(outcome).toBe('declined');
  }
});

test('a name that points forward is garbled', async () => {
  expect(await outcomeOf(cldap, { random, steps: [{ reply: change('c018', 'c0ff') }] })).toBe('garbled');
});

test.for([
  ['two messages of different ids', `${Buffer.from(entry).toString('hex').slice(0, -28)}300c02010365070a010004000400`],
  ['no message', '3000'],
  ['an entry without the attribute, and no result', '300902010264040400 3000'.replace(' ', '')],
])('garbled: %s', ([, reply]) =>
  expect(outcomeOf(cldap, { random, steps: [{ reply: reply! }] })).resolves.toBe('garbled'),
);

test.for(hostileReplies)('%s is no answer', async ([, reply]) => {
  expect(await outcomeOf(cldap, { random, steps: [{ reply }] })).toBe(reply === '' ? 'timeout' : 'garbled');
});

test('any bytes give a reply or a DecodeError', () => {
  expectBounded(decodePingReply, recordings);
  const value = entry.subarray(entry.indexOf(23), -14);
  expect(decodeNetlogon(value)).toMatchObject({ domain: 'ad.lab', hostname: 'dc1.ad.lab' });
  expectBounded(decodeNetlogon, [value]);
});
