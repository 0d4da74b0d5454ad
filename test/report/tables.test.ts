/** The tables for other programs: what a spreadsheet, a firewall team and a TAP harness make of them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReportCheck } from '../../src/model/report.ts';
import { csv } from '../../src/report/csv.ts';
import { cell } from '../../src/report/escape.ts';
import { firewall } from '../../src/report/firewall.ts';
import { tap } from '../../src/report/tap.ts';
import { anyOptions, anyReport, asked, mixed } from './sample.ts';
import { readTables } from './well-formed.ts';

/** RFC 4180, as a reader has it. */
function parseCsv(text: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  for (const [, quoted, bare = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\n)/g)) {
    line.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    lines.push(line);
    line = [];
  }
  return lines;
}

describe.for([
  ['csv', csv],
  ['firewall', firewall],
] as const)('%s', ([, reporter]) => {
  test('every line has as many fields as the head, and no field is a formula', () => {
    fc.assert(
      fc.property(anyReport, anyOptions, (report, options) => {
        const text = reporter.render(report, options);
        const [head, ...lines] = parseCsv(text);
        expect(text.split('\n')).toHaveLength(lines.length + 2);
        for (const line of lines) {
          expect(line).toHaveLength(head!.length);
          for (const field of line) expect(field).not.toMatch(/^[=+@]|^-(?!\d+(?:\.\d+)?$)/);
        }
      }),
    );
  });
});

const [sample] = mixed.checks;
const blockedBy = (parts: Partial<ReportCheck>): ReportCheck => ({
  ...sample!,
  host: 'fs01.example.test',
  address: '10.20.30.9',
  verdict: 'fail',
  advisory: false,
  outcome: 'timeout',
  stage: 'connect',
  hint: null,
  ...parts,
});

function rulesFor(...checks: readonly ReportCheck[]): string[][] {
  const named = checks.map((check, i) => Object.assign({}, check, { id: `check ${i}` }));
  const row = { ...mixed.rows[0]!, id: 'smb-direct', purpose: 'Shares, "R&D"', checks: named.map(({ id }) => id) };
  const vantage = {
    ...mixed.vantage,
    hostname: 'xs01',
    addresses: ['127.0.0.1', '10.20.30.11', '2001:db8::11', 'fe80::1'],
  };
  return parseCsv(firewall.render({ ...mixed, vantage, rows: [row], checks: named }, asked)).slice(1);
}

describe('the list of rules', () => {
  test('has a line for each host, with its ports merged and the addresses that have to be allowed', () => {
    const ports = [6912, 6910, 6911, 445].map((port) => blockedBy({ port }));
    const six = blockedBy({ address: '2001:db8::9', port: 445, outcome: 'unreachable', hint: 'icmp-reject' });
    const from = 'xenserver-host xs01';
    expect(rulesFor(...ports, six)).toEqual([
      [
        from,
        '10.20.30.11',
        'fs01.example.test',
        '10.20.30.9',
        'tcp',
        '445, 6910-6912',
        'smb-direct',
        'Shares, "R&D"',
        'dropped: nothing comes back',
        'page, high',
      ],
      [
        from,
        '2001:db8::11',
        'fs01.example.test',
        '2001:db8::9',
        'tcp',
        '445',
        'smb-direct',
        'Shares, "R&D"',
        'rejected by ICMP',
        'page, high',
      ],
    ]);
  });

  test('has none for what answers, for a host that is not there, for the proxy’s trouble, or for advice', () => {
    expect(
      rulesFor(
        blockedBy({ outcome: 'refused' }),
        blockedBy({ outcome: 'declined', stage: 'exchange' }),
        blockedBy({ stage: 'exchange' }),
        blockedBy({ hint: 'host-down' }),
        blockedBy({ hint: 'proxy' }),
        blockedBy({ advisory: true }),
        blockedBy({ verdict: 'unverified', transport: 'udp' }),
      ),
    ).toEqual([]);
  });
});

test('TAP has as many tests as it plans, and no text of a peer is a directive', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const lines = tap.render(report, asked).trimEnd().split('\n');
      const tests = lines.filter((line) => /^(?:not )?ok \d/.test(line));
      expect(lines[1]).toBe(`1..${report.rows.length}`);
      expect(tests).toHaveLength(report.rows.length);
      for (const [i, line] of tests.entries()) {
        const [, , directive = ''] = /^(.*?)(?<!\\)#(.*)$/.exec(line) ?? [];
        const { verdict, skip } = report.rows[i]!;
        const isLeftOut = verdict === null || verdict === 'skipped' || skip !== null;
        expect(directive.trim().split(' ')[0]).toBe(verdict === 'unverified' ? 'TODO' : isLeftOut ? 'SKIP' : '');
      }
    }),
  );
});

test('a bar behind a backslash in code stays inside its cell', () => {
  const [cells] = readTables(`| ${cell(String.raw`@\|`)} |`)[0]!;
  expect(cells).toEqual([' `@\\ \\|` ']);
});
