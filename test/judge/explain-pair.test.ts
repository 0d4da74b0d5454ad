/** What to do where both ends were looked at: every sentence names the side, the rule, and the address that it must name. */
import { expect, test } from 'vitest';
import { pairHints, pairRemedy, type PairHint } from '../../src/judge/explain-pair.ts';
import type { Evidence } from '../../src/model/outcome.ts';
import { checkOf, seen, usual } from '../support/builders.ts';

const remedyOf = (hint: PairHint, pair: Evidence = {}, oneWay = false): string | null => {
  const evidence = { pair: { sourceSeen: '192.0.2.1', nat: false, proof: 'receipt', ...pair } };
  const observation = seen({ hint, evidence });
  return pairRemedy({ check: checkOf({ transport: 'udp' }), use: { ...usual, oneWay }, observation }, hint);
};

test('each names the port, this machine as the other end sees it, and the other end', () => {
  for (const hint of pairHints)
    expect([hint, remedyOf(hint)]).toEqual([hint, expect.stringMatching(/192\.0\.2\.5.*\.$/)]);
  for (const hint of ['arrived', 'not-arrived', 'refused-on-the-way', 'middlebox'] as const)
    expect(remedyOf(hint)).toMatch(/UDP 123 from 192\.0\.2\.1 (?:to|gets to) 192\.0\.2\.5/);
});

test('where addresses are translated, rules must name the one that is seen there', () => {
  const pair = { sourceSeen: '198.51.100.1', nat: true };
  for (const hint of ['arrived', 'not-arrived', 'refused-on-the-way', 'middlebox'] as const)
    expect(remedyOf(hint, pair)).toMatch(/Seen as 198\.51\.100\.1 there: rules must name that address\.$/);
});

test('there is nothing to do where a one-way service would have had it', () => {
  expect(remedyOf('stand-in', {}, true)).toBeNull();
  expect(remedyOf('arrived', {}, true)).toBeNull();
  expect(remedyOf('arrived', { proof: 'capture' }, true)).toMatch(
    /see that the firewall on 192\.0\.2\.5 itself lets UDP 123/,
  );
});

test('of an end that nobody saw anything from, it is this machine', () => {
  expect(remedyOf('not-arrived', { sourceSeen: null })).toMatch(/^Ask for UDP 123 from this machine to 192\.0\.2\.5/);
});
