/** The verdict of a check: the contract's table, line by line, in both modes and for ports that should be shut. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { best, verdictOf, verdictTable, worst } from '../../src/judge/table.ts';
import { hints, outcomes, stages, type Hint, type Outcome, type Stage } from '../../src/model/outcome.ts';
import type { Transport } from '../../src/model/probe.ts';
import { modes, rowVerdicts, type CheckVerdict } from '../../src/model/verdict.ts';
import { seen } from '../support/builders.ts';

type Line = readonly [Outcome, Stage | null, Hint | null, Transport, CheckVerdict, CheckVerdict, CheckVerdict];

/** outcome, stage, hint, transport -> service, path, shut */
const contract: readonly Line[] = [
  ['answered', null, null, 'tcp', 'pass', 'pass', 'fail'],
  ['answered', null, null, 'udp', 'pass', 'pass', 'fail'],
  ['declined', 'exchange', null, 'tcp', 'fail', 'pass', 'fail'],
  ['declined', 'exchange', null, 'udp', 'fail', 'pass', 'fail'],
  ['declined', 'proxy', 'proxy', 'tcp', 'fail', 'fail', 'unverified'],
  ['untrusted', 'tls', 'unknown-issuer', 'tcp', 'fail', 'pass', 'fail'],
  ['untrusted', 'tls', 'intercepted', 'tcp', 'fail', 'pass', 'fail'],
  ['untrusted', 'tls', 'clock', 'tcp', 'fail', 'pass', 'fail'],
  ['untrusted', 'tls', 'wrong-name', 'tcp', 'fail', 'pass', 'fail'],
  ['tls-failed', 'tls', null, 'tcp', 'fail', 'pass', 'fail'],
  ['garbled', 'exchange', null, 'tcp', 'fail', 'pass', 'fail'],
  ['garbled', 'proxy', 'proxy', 'tcp', 'fail', 'fail', 'unverified'],
  ['closed', 'exchange', null, 'tcp', 'fail', 'pass', 'fail'],
  ['closed', 'tls', null, 'tcp', 'fail', 'pass', 'fail'],
  ['closed', 'proxy', null, 'tcp', 'fail', 'fail', 'unverified'],
  ['refused', 'connect', null, 'tcp', 'fail', 'pass', 'pass'],
  ['refused', 'connect', null, 'udp', 'fail', 'pass', 'pass'],
  ['refused', 'connect', 'proxy', 'tcp', 'fail', 'fail', 'unverified'],
  ['unreachable', 'connect', 'icmp-reject', 'tcp', 'fail', 'fail', 'pass'],
  ['unreachable', 'connect', 'host-down', 'tcp', 'fail', 'fail', 'pass'],
  ['unreachable', 'connect', 'no-route', 'tcp', 'fail', 'fail', 'pass'],
  ['unreachable', 'exchange', 'icmp-reject', 'udp', 'fail', 'fail', 'pass'],
  ['unreachable', 'connect', 'proxy', 'tcp', 'fail', 'fail', 'unverified'],
  ['timeout', 'connect', null, 'tcp', 'fail', 'fail', 'pass'],
  ['timeout', 'tls', null, 'tcp', 'fail', 'fail', 'fail'],
  ['timeout', 'exchange', null, 'tcp', 'fail', 'pass', 'fail'],
  ['timeout', 'exchange', null, 'udp', 'unverified', 'unverified', 'unverified'],
  ['timeout', 'exchange', 'answer-due', 'udp', 'fail', 'unverified', 'unverified'],
  ['timeout', 'exchange', 'host-down', 'udp', 'fail', 'unverified', 'unverified'],
  ['timeout', 'connect', 'host-silent', 'tcp', 'fail', 'fail', 'pass'],
  ['timeout', 'proxy', null, 'tcp', 'fail', 'fail', 'unverified'],
  ['timeout', 'connect', 'proxy', 'tcp', 'fail', 'fail', 'unverified'],
  ['unresolved', 'resolve', 'no-such-name', 'tcp', 'fail', 'fail', 'unverified'],
  ['unresolved', 'resolve', 'resolver-silent', 'udp', 'fail', 'fail', 'unverified'],
  ['local', 'connect', null, 'tcp', 'unverified', 'unverified', 'unverified'],
  ['local', null, null, 'udp', 'unverified', 'unverified', 'unverified'],
  ['aborted', 'exchange', null, 'tcp', 'unverified', 'unverified', 'unverified'],
  ['aborted', null, null, 'udp', 'unverified', 'unverified', 'unverified'],
];

describe.for(contract)('%s at %s, hint %s, over %s', ([outcome, stage, hint, transport, service, path, shut]) => {
  const observation = seen({ outcome, stage, hint });

  test(`${service} in service mode`, () => {
    expect(verdictOf(observation, transport, 'service', { expect: 'open' })).toBe(service);
  });

  test(`${path} in path mode, and in both for a need that expects a path`, () => {
    expect(verdictOf(observation, transport, 'path', { expect: 'open' })).toBe(path);
    expect(modes.map((mode) => verdictOf(observation, transport, mode, { expect: 'path' }))).toEqual([path, path]);
  });

  test(`${shut} where the port should be shut, in both modes`, () => {
    expect(modes.map((mode) => verdictOf(observation, transport, mode, { expect: 'shut' }))).toEqual([shut, shut]);
  });
});

test('every outcome has a line of its own that catches what no other does', () => {
  const catchAlls = verdictTable.filter(({ stage, hint, transport }) => !stage && !hint && !transport);
  expect(catchAlls.map(({ outcome }) => outcome).toSorted()).toEqual([...outcomes].toSorted());
});

test('a warning turns a pass into a warn, and nothing else', () => {
  const warnings = ['the certificate expires in 9 days'];
  expect(verdictOf(seen({ warnings }), 'tcp', 'service', { expect: 'open' })).toBe('warn');
  expect(verdictOf(seen({ outcome: 'refused', stage: 'connect', warnings }), 'tcp', 'path', { expect: 'open' })).toBe(
    'warn',
  );
  expect(
    verdictOf(seen({ outcome: 'refused', stage: 'connect', warnings }), 'tcp', 'service', { expect: 'open' }),
  ).toBe('fail');
  expect(verdictOf(seen({ outcome: 'local', warnings }), 'tcp', 'service', { expect: 'open' })).toBe('unverified');
  expect(
    verdictOf(seen({ outcome: 'refused', stage: 'connect', warnings }), 'tcp', 'service', { expect: 'shut' }),
  ).toBe('pass');
});

const verdicts = rowVerdicts.filter((verdict) => verdict !== 'skipped');

test('the worst is the first of fail, unverified, warn, pass; the best is the last', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...verdicts), { minLength: 1 }), (list) => {
      const order = ['fail', 'unverified', 'warn', 'pass'];
      const ranks = list.map((verdict) => order.indexOf(verdict));
      expect(worst(list)).toBe(order[Math.min(...ranks)]);
      expect(best(list)).toBe(order[Math.max(...ranks)]);
    }),
  );
  expect(worst([])).toBe('unverified');
  expect(best([])).toBe('unverified');
});

test('silence on UDP alone is never a pass, and a machine in trouble proves nothing', () => {
  // Of these the other end of a pair says what became of the datagrams.
  const told: ReadonlySet<Hint> = new Set(['arrived', 'not-arrived']);
  const any = fc.record({
    stage: fc.constantFrom(null, ...stages),
    hint: fc.constantFrom(null, ...hints.filter((hint) => !told.has(hint))),
    mode: fc.constantFrom(...modes),
    expect: fc.constantFrom('open', 'path', 'shut'),
  });
  fc.assert(
    fc.property(any, ({ stage, hint, mode, expect: expected }) => {
      expect(verdictOf(seen({ outcome: 'timeout', stage, hint }), 'udp', mode, { expect: expected })).not.toBe('pass');
      for (const outcome of ['local', 'aborted'] as const)
        expect(verdictOf(seen({ outcome, stage, hint }), 'tcp', mode, { expect: expected })).toBe('unverified');
    }),
  );
});
