/** For every outcome, stage and hint there is a layer and, unless all is well, a remedy that says what to do and where. */
import { describe, expect, test } from 'vitest';
import { layerOf, layers, remedyFor, type Layer } from '../../src/judge/explain.ts';
import { hints, outcomes, stages, type Hint, type Outcome, type Stage } from '../../src/model/outcome.ts';
import { checkOf, seen } from '../support/judged.ts';

type Case = readonly [Outcome, Stage | null, Hint | null, Layer, RegExp];

const table: readonly Case[] = [
  ['unresolved', 'resolve', 'no-such-name', 'name', /spelling of fs\.example\.test/],
  ['unresolved', 'resolve', 'resolver-silent', 'name', /\/etc\/resolv\.conf/],
  ['unresolved', 'resolve', 'proxy', 'proxy', /proxy\.url/],
  ['unreachable', 'connect', 'no-route', 'route', /Add a route to 192\.0\.2\.5/],
  ['unreachable', 'connect', 'host-down', 'route', /powered on/],
  ['unreachable', 'connect', 'icmp-reject', 'firewall', /firewall team.*TCP 445 from this machine to 192\.0\.2\.5/],
  ['unreachable', 'connect', 'proxy', 'proxy', /proxy\.url/],
  ['refused', 'connect', null, 'service', /start the smb service on 192\.0\.2\.5/],
  ['refused', 'connect', 'proxy', 'proxy', /proxy\.url/],
  ['timeout', 'connect', null, 'firewall', /firewall team.*TCP 445/],
  ['timeout', 'connect', 'proxy', 'proxy', /proxy\.url/],
  ['timeout', 'proxy', null, 'proxy', /proxy\.url/],
  ['timeout', 'tls', null, 'service', /inspects TLS/],
  ['timeout', 'tls', 'large-hello', 'firewall', /./],
  ['timeout', 'exchange', null, 'service', /accepts and stays mute/],
  ['closed', 'exchange', null, 'service', /access list/],
  ['closed', 'tls', null, 'service', /hangs up/],
  ['closed', 'proxy', null, 'proxy', /proxy\.url/],
  ['declined', 'exchange', null, 'service', /says no/],
  ['declined', 'proxy', 'proxy', 'proxy', /proxy team/],
  ['garbled', 'exchange', null, 'protocol', /what listens on TCP 445 of 192\.0\.2\.5/],
  ['garbled', 'proxy', 'proxy', 'proxy', /proxy\.url/],
  ['tls-failed', 'tls', null, 'protocol', /TLS 1\.2 or later/],
  ['untrusted', 'tls', 'clock', 'clock', /clock of this machine/],
  ['untrusted', 'tls', 'intercepted', 'certificate', /TLS inspection/],
  ['untrusted', 'tls', 'unknown-issuer', 'certificate', /`trust`.*--ca/],
  ['untrusted', 'tls', 'wrong-name', 'certificate', /certificate for fs\.example\.test/],
  ['untrusted', 'tls', null, 'certificate', /Renew/],
  ['local', 'connect', null, 'this machine', /on this machine/],
  ['aborted', null, null, 'this machine', /Run again/],
];

const check = checkOf({ probe: 'smb', host: 'fs.example.test', port: 445 });

describe.for(table)('%s at %s, hint %s', ([outcome, stage, hint, layer, remedy]) => {
  const observation = seen({ outcome, stage, hint });

  test(`is a matter of the ${layer}, and has a remedy`, () => {
    expect(layerOf(observation)).toBe(layer);
    expect(remedyFor(check, observation)).toMatch(remedy);
  });
});

test('an answer needs no remedy', () => {
  expect(remedyFor(check, seen())).toBeNull();
});

test.for([
  ['HTTP_407', /passwordFile/],
  ['HTTP_401', /XENREACH_PROXY_PASSWORD/],
  ['HTTP_403', /allow this destination/],
  ['HTTP_503', /its own DNS, route or firewall/],
] as const)('a proxy that says %s is told apart', ([code, remedy]) => {
  expect(remedyFor(check, seen({ outcome: 'declined', stage: 'proxy', hint: 'proxy', code }))).toMatch(remedy);
});

test.for([
  ['EMFILE', /ulimit -n/],
  ['ENFILE', /file descriptors/],
  ['EADDRNOTAVAIL', /ip_local_port_range/],
  ['EPERM', /firewall on this machine/],
  ['EACCES', /firewall on this machine/],
  ['EWHATEVER', /on this machine/],
] as const)('%s is mended on this machine', ([code, remedy]) => {
  expect(remedyFor(check, seen({ outcome: 'local', code }))).toMatch(remedy);
});

test.for([
  ['syslog', /in the collector/],
  ['udp', /from the other end/],
  ['ntp', /Allow UDP 123/],
] as const)('silence on UDP of %s', ([probe, remedy]) => {
  const silence = seen({ outcome: 'timeout', stage: 'exchange' });
  expect(remedyFor(checkOf({ probe, transport: 'udp', port: 123 }), silence)).toMatch(remedy);
});

test('every combination gets a known layer and a whole sentence', () => {
  for (const outcome of outcomes) {
    for (const stage of [null, ...stages]) {
      for (const hint of [null, ...hints]) {
        for (const transport of ['tcp', 'udp'] as const) {
          const observation = seen({ outcome, stage, hint });
          expect(layers).toContain(layerOf(observation));
          const remedy = remedyFor({ ...check, transport }, observation);
          expect(remedy === null).toBe(outcome === 'answered' && hint !== 'large-hello');
          expect(remedy ?? 'Fine.').toMatch(/^[A-Z].*[.)]$/s);
          expect(remedy ?? '').not.toMatch(/undefined|null|NaN|\[object/);
        }
      }
    }
  }
});
