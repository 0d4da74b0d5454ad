import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { readTrust } from '../../src/load/trust.ts';
import { UsageError } from '../../src/model/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-trust-'));
const pem = readFileSync('fixtures/sites/corp-ca.pem', 'latin1');
const file = join(folder, 'roots.pem');

afterAll(() => rmSync(folder, { recursive: true }));

function trustOf(text: string): string[] {
  writeFileSync(file, text, 'latin1');
  return readTrust([file]);
}

test('every certificate of a file is one PEM text, whatever stands between them', () => {
  expect(trustOf(`subject=a root\n${pem}\r\n# the second\n${pem.replaceAll('\n', '\r\n')}`)).toEqual([pem, pem]);
  expect(readTrust([])).toEqual([]);
});

test.for([
  ['no certificate at all', 'hello\n', ':1 holds no certificate'],
  ['a key only', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', ':1 holds no certificate'],
  [
    'one that is cut short',
    `\n${pem.slice(0, 300)}`,
    ':2 the certificate that begins here has no end; the file is cut short',
  ],
  ['a damaged second one', `${pem}${pem.replace(/MII./, 'AAAA')}`, 'is not a certificate that can be read'],
])('%s is told with file and line', ([, text = '', message = '']) => {
  expect(() => trustOf(text)).toThrow(UsageError);
  expect(() => trustOf(text)).toThrow(message);
});

test('a file that is not there is told', () => {
  expect(() => readTrust([join(folder, 'none.pem')])).toThrow('none.pem: there is no such file; check the name');
});

test('any damage gives certificates or a UsageError', () => {
  fc.assert(
    fc.property(fc.nat(pem.length), fc.nat(60), fc.string(), (at, length, put) => {
      const damaged = pem.slice(0, at) + put + pem.slice(at + length);
      expect(outcomeOf(damaged)).toMatch(/^(?:1|UsageError)$/);
    }),
    { numRuns: 200 },
  );
});

function outcomeOf(text: string): string {
  try {
    return String(trustOf(text).length);
  } catch (error) {
    return error instanceof Error ? error.name : 'thrown';
  }
}
