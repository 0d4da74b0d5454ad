/** What the other checks of a host say about silence, and what they make of it. */
import { describe, expect, test } from 'vitest';
import { HostSigns, isSilence } from '../../src/judge/host-signs.ts';
import type { Observation } from '../../src/model/outcome.ts';
import type { Check } from '../../src/model/plan.ts';
import { checkOf, seen } from '../support/builders.ts';

type Parts = Parameters<typeof seen>[0];

function signsOf(check: Check, ...observations: readonly Parts[]): HostSigns {
  const signs = new HostSigns();
  for (const parts of observations) signs.add(check, seen(parts));
  return signs;
}

describe('what other checks say about a host that was silent', () => {
  const newsOf = (...observations: Parameters<typeof seen>[0][]): string | undefined =>
    signsOf(checkOf(), ...observations).remark('192.0.2.5');

  test.for(['answered', 'declined', 'untrusted', 'tls-failed', 'garbled', 'closed', 'refused'] as const)(
    '%s on TCP: it is alive',
    (outcome) => {
      expect(newsOf({ outcome, stage: 'exchange' })).toMatch(/alive/);
    },
  );

  test('a reject, and silence, speak of a firewall; life outweighs both', () => {
    const reject = { outcome: 'unreachable', stage: 'connect', hint: 'icmp-reject' } as const;
    const drop = { outcome: 'timeout', stage: 'connect' } as const;
    expect(newsOf(reject)).toMatch(/firewall rejects/);
    expect(newsOf(drop)).toMatch(/dropped as well/);
    expect(newsOf(drop, reject)).toMatch(/firewall rejects/);
    expect(newsOf(drop, reject, {})).toMatch(/alive/);
  });

  test('nothing is known of another host, by the proxy, or from a machine in trouble', () => {
    expect(newsOf({ address: '192.0.2.6' })).toBeUndefined();
    expect(newsOf({ address: null })).toBeUndefined();
    expect(newsOf({ outcome: 'local' }, { outcome: 'aborted' }, { outcome: 'unresolved' })).toBeUndefined();
    expect(signsOf(checkOf({ viaProxy: true }), {}).remark('192.0.2.5')).toBeUndefined();
  });
});

describe('silence, beside what else the run showed', () => {
  const due = checkOf({ transport: 'udp', probe: 'ntp', isAnswerDue: true });
  const mute = checkOf({ transport: 'udp', probe: 'syslog' });
  const stream = checkOf();
  const silence = seen({ outcome: 'timeout', stage: 'exchange' });
  const dropped = seen({ outcome: 'timeout', stage: 'connect' });
  const droppedOnLink = seen({ ...dropped, evidence: { onLink: true } });
  const alive = { outcome: 'refused', stage: 'connect' } as const;
  const down = { outcome: 'unreachable', stage: 'connect', hint: 'host-down' } as const;

  type Case = readonly [string, Check, Observation, readonly Parts[], Observation['hint']];
  const table: readonly Case[] = [
    ['an answer is due on a host that refuses another port', due, silence, [alive], 'answer-due'],
    ['an answer is due on a host that answers TCP and stays mute there', due, silence, [{ ...silence }], 'answer-due'],
    ['an answer is due, and nobody has the address', due, silence, [down], 'host-down'],
    ['an answer is due, and a host that lives beats a failed discovery', due, silence, [down, alive], 'answer-due'],
    ['an answer is due, by itself', due, silence, [], null],
    ['a one-way service, whatever the host does', mute, silence, [alive], null],
    ['SYNs to our own link, nothing from the host', stream, droppedOnLink, [dropped], 'host-silent'],
    ['SYNs to our own link, the host refuses another port', stream, droppedOnLink, [alive], null],
    ['SYNs to somewhere else, nothing from the host', stream, dropped, [dropped], null],
    ['SYNs to an address that nobody has', stream, dropped, [down], 'host-down'],
  ];

  test.for(table)('%s', ([, check, observation, others, hint]) => {
    expect(signsOf(stream, ...others).settled(check, observation).hint).toBe(hint);
  });

  test('what the neighbour table says after the last packet counts too', () => {
    const signs = signsOf(stream, dropped);
    signs.markDown(['192.0.2.5']);
    expect(signs.settled(stream, dropped).hint).toBe('host-down');
  });

  test('what is no silence stays as it is', () => {
    const proxied = checkOf({ viaProxy: true });
    for (const [check, observation] of [
      [stream, seen(alive)],
      [stream, silence],
      [proxied, dropped],
      [stream, seen({ ...dropped, hint: 'proxy' })],
    ] as const) {
      expect(isSilence(check, observation)).toBe(false);
      expect(signsOf(stream, {}).settled(check, observation)).toBe(observation);
    }
  });
});
