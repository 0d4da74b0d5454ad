/** Ports as the page writes them and as a site uses them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countPorts } from '../../src/model/ports.ts';
import { expandPorts, portInUse, portsText, sampledPorts } from '../../src/plan/ports.ts';
import { hostOf } from '../support/sites.ts';

test('numbers, ranges and "dynamic" become plain numbers, each once', () => {
  expect(expandPorts([80, '443-445', 444, 'dynamic'], 111)).toEqual([80, 443, 444, 445, 111]);
  expect(expandPorts(['6910-6910'], 0)).toEqual([6910]);
  expect(expandPorts(['6930-6910'], 0)).toEqual([]);
  expect(expandPorts([], 0)).toEqual([]);
});

test('a range has all of its ports and no others', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65_000 }), fc.integer({ min: 0, max: 500 }), (from, more) => {
      const ports = expandPorts([`${from}-${from + more}`], 0);
      expect([ports.length, ports[0], ports.at(-1)]).toEqual([more + 1, from, from + more]);
    }),
  );
});

test('the map of the host comes first, its only port second, the documented one last', () => {
  expect(portInUse(hostOf('a', { ports: { '443': 8443 }, port: 9 }), 443, true)).toBe(8443);
  expect(portInUse(hostOf('a', { port: 8443 }), 443, true)).toBe(8443);
  expect(portInUse(hostOf('a', { port: 8443 }), 443, false)).toBe(443);
  expect(portInUse(hostOf('a'), 443, true)).toBe(443);
});

test('are told in the order of the needs, each once, and 0 not at all', () => {
  expect(portsText([[80], [443, 80], ['6910-6930'], ['dynamic'], [0]])).toBe('80, 443, 6910-6930, dynamic');
});

test('ports are counted without being made', () => {
  expect(countPorts([80, '443-445', 'dynamic'])).toBe(5);
  expect(countPorts(['1-65535', '1-65535'])).toBe(131_070);
});

test('a sample of ports goes from the first to the last in even steps', () => {
  const ports = expandPorts(['7000-8000'], 0);
  expect(sampledPorts(ports, 3)).toEqual([7000, 7500, 8000]);
  expect(sampledPorts(ports, 1)).toEqual([7000]);
  expect(sampledPorts([80, 443], 5)).toEqual([80, 443]);
  expect(sampledPorts([80, 443], undefined)).toEqual([80, 443]);
});
