/** For every outcome, stage and hint there is a layer and, unless all is well, a remedy that says what to do and where. */
import { describe, expect, test } from 'vitest';
import { isOfPair } from '../../src/judge/explain-pair.ts';
import { layerOf, layers, remedyFor, type Layer } from '../../src/judge/explain.ts';
import { hints, outcomes, stages, type Hint, type Outcome, type Stage } from '../../src/model/outcome.ts';
import type { Observation } from '../../src/model/outcome.ts';
import type { Check } from '../../src/model/plan.ts';
import { checkOf, seen, usual } from '../support/builders.ts';

type Case = readonly [Outcome, Stage | null, Hint | null, Layer, RegExp];

const table: readonly Case[] = [
  ['unresolved', 'resolve', 'no-such-name', 'name', /spelling of fs\.example\.test/],
  ['unresolved', 'resolve', 'resolver-silent', 'name', /\/etc\/resolv\.conf/],
  ['unresolved', 'resolve', 'proxy', 'name', /proxy\.url/],
  ['unreachable', 'connect', 'no-route', 'route', /Add a route to 192\.0\.2\.5/],
  ['unreachable', 'connect', 'host-down', 'route', /powered on/],
  ['unreachable', 'connect', 'icmp-reject', 'firewall', /firewall team.*TCP 445 from this machine to 192\.0\.2\.5/],
  ['unreachable', 'connect', 'proxy', 'proxy', /proxy\.url/],
  [
    'refused',
    'connect',
    null,
    'service',
    /start the service on 192\.0\.2\.5 that belongs on port 445 \(SMB file service\)/,
  ],
  ['refused', 'connect', 'proxy', 'proxy', /proxy\.url/],
  ['timeout', 'connect', null, 'firewall', /firewall team.*TCP 445/],
  ['timeout', 'connect', 'proxy', 'proxy', /proxy\.url/],
  ['timeout', 'proxy', null, 'proxy', /proxy\.url/],
  ['timeout', 'tls', null, 'service', /inspects TLS.*ping -M do/],
  ['timeout', 'connect', 'host-silent', 'route', /powered on; if it is/],
  ['timeout', 'connect', 'host-down', 'route', /powered on/],
  ['timeout', 'tls', 'large-hello', 'firewall', /./],
  ['timeout', 'exchange', null, 'service', /accepts and stays mute/],
  ['closed', 'exchange', null, 'service', /access list/],
  ['closed', 'tls', null, 'service', /hangs up/],
  ['closed', 'proxy', null, 'proxy', /proxy\.url/],
  ['declined', 'exchange', null, 'service', /says no/],
  ['declined', 'proxy', 'proxy', 'proxy', /proxy\.url/],
  ['garbled', 'exchange', null, 'protocol', /what listens on TCP 445 of 192\.0\.2\.5/],
  ['garbled', 'proxy', 'proxy', 'proxy', /proxy\.url/],
  ['tls-failed', 'tls', null, 'protocol', /TLS settings of the service on port 445/],
  ['untrusted', 'tls', 'clock', 'clock', /clock of this machine/],
  ['untrusted', 'tls', 'intercepted', 'certificate', /TLS inspection/],
  ['untrusted', 'tls', 'unknown-issuer', 'certificate', /`trust`.*--ca/],
  ['untrusted', 'tls', 'wrong-name', 'certificate', /certificate for fs\.example\.test/],
  ['untrusted', 'tls', null, 'certificate', /certificate without that fault/],
  ['local', 'connect', null, 'this machine', /on this machine/],
  ['aborted', null, null, 'this machine', /Run again/],
];

const check = checkOf({
  probe: 'smb',
  host: 'fs.example.test',
  port: 445,
  uses: [{ ...usual, service: 'SMB file service' }],
});

const remedyOf = (of: Check, observation: Observation): string | null =>
  remedyFor({ check: of, use: of.uses[0]!, observation });

describe.for(table)('%s at %s, hint %s', ([outcome, stage, hint, layer, remedy]) => {
  const observation = seen({ outcome, stage, hint });

  test(`is a matter of the ${layer}, and has a remedy`, () => {
    expect(layerOf(observation)).toBe(layer);
    expect(remedyOf(check, observation)).toMatch(remedy);
  });
});

test('an answer needs no remedy', () => {
  expect(remedyOf(check, seen())).toBeNull();
});

test('what the one who saw it says goes before what follows from the outcome', () => {
  expect(remedyOf(check, seen({ outcome: 'declined', remedy: 'Do this.' }))).toBe('Do this.');
});

test.for([
  ['EMFILE', /ulimit -n/],
  ['ENFILE', /file descriptors/],
  ['EADDRNOTAVAIL', /ip_local_port_range/],
  ['EPERM', /firewall on this machine/],
  ['EACCES', /firewall on this machine/],
  ['EWHATEVER', /on this machine/],
] as const)('%s is mended on this machine', ([code, remedy]) => {
  expect(remedyOf(check, seen({ outcome: 'local', code }))).toMatch(remedy);
});

test('silence on UDP names the rule, and where an answer is due the service too', () => {
  const silence = seen({ outcome: 'timeout', stage: 'exchange' });
  const asked = checkOf({ probe: 'ntp', transport: 'udp', port: 123 });
  expect(remedyOf(asked, silence)).toMatch(/^Allow UDP 123 from this machine to 192\.0\.2\.5/);
  expect(remedyOf(asked, seen({ ...silence, hint: 'answer-due' }))).toMatch(
    /the service runs there \(its time service\)/,
  );
});

test('a router without a way is no firewall', () => {
  const noWay = seen({ outcome: 'unreachable', stage: 'connect', hint: 'icmp-reject', code: 'ENETUNREACH' });
  expect(layerOf(noWay)).toBe('route');
  expect(remedyOf(check, noWay)).toMatch(/network team.*192\.0\.2\.5/);
});

test('nobody is sent to mend the vendor’s servers', () => {
  const vendors = checkOf({ ...check, host: 'repo.example.test', uses: [{ ...usual, isVendors: true }] });
  for (const outcome of ['refused', 'closed', 'declined', 'garbled', 'tls-failed', 'untrusted'] as const) {
    const remedy = remedyOf(vendors, seen({ outcome, stage: 'exchange' }));
    expect(remedy).toMatch(/repo\.example\.test/);
    expect(remedy).not.toMatch(/start the|its log|[Rr]enew|site file|settings of the service/);
  }
});

test('a port that is shut on purpose is a fact that the site file can hold', () => {
  const use = { ...usual, unless: 'facts: { https-only: true }' };
  const refused = seen({ outcome: 'refused', stage: 'connect' });
  expect(remedyOf(checkOf({ uses: [use] }), refused)).toMatch(/on purpose.*https-only: true/);
});

test('every combination gets a known layer and a whole sentence', () => {
  for (const outcome of outcomes) {
    for (const stage of [null, ...stages]) {
      for (const hint of [null, ...hints]) {
        for (const transport of ['tcp', 'udp'] as const) {
          const observation = seen({ outcome, stage, hint });
          expect(layers).toContain(layerOf(observation));
          const remedy = remedyOf({ ...check, transport }, observation);
          const isFine = outcome === 'answered' && hint !== 'large-hello' && !isOfPair(hint);
          expect(remedy === null).toBe(isFine);
          expect(remedy ?? 'Fine.').toMatch(/^[A-Z].*[.)]$/s);
          expect(remedy ?? '').not.toMatch(/undefined|null|NaN|\[object/);
        }
      }
    }
  }
});
