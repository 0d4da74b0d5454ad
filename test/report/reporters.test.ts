/**
 * Every reporter renders the hand-made report as the golden file beside it says (`vitest -u` writes them anew), and
 * whatever strings stand in a report, the result is what its format allows.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { markup } from '../../src/report/escape.ts';
import { reporters, type Format } from '../../src/report/index.ts';
import { columns } from '../../src/report/layout.ts';
import { anyOptions, anyReport, asked, largeReport, mergedSample, mixed, planned } from './sample.ts';
import { descendants, readMetrics, readTables, readXml } from './well-formed.ts';

const extensions = {
  text: 'txt',
  json: 'json',
  ndjson: 'ndjson',
  junit: 'xml',
  prometheus: 'prom',
  nagios: 'nagios',
  html: 'html',
  markdown: 'md',
  csv: 'csv',
  tap: 'tap',
  firewall: 'firewall.csv',
} as const satisfies Record<Format, string>;

const formats = Object.keys(extensions) as Format[];
const golden = (name: string): string => `${import.meta.dirname}/../../fixtures/reports/${name}`;

test.for(formats)('%s renders the mixed report as its golden file says', async (format) => {
  await expect(reporters[format].render(mixed, asked)).toMatchFileSnapshot(golden(`mixed.${extensions[format]}`));
});

test.for([
  ['mixed.verbose.txt', mixed, { verbose: true }],
  ['mixed.quiet.txt', mixed, { quiet: true }],
  ['mixed.wide.txt', mixed, { width: 120 }],
  ['mixed.color.txt', mixed, { color: true }],
  ['plan.txt', planned, {}],
] as const)('text renders %s', async ([name, report, options]) => {
  await expect(reporters.text.render(report, { ...asked, ...options })).toMatchFileSnapshot(golden(name));
});

test.for(formats.filter((format) => format !== 'json' && format !== 'ndjson'))(
  '%s renders the merged report as its golden file says',
  async (format) => {
    await expect(reporters[format].render(mergedSample, asked)).toMatchFileSnapshot(
      golden(`merged.${extensions[format]}`),
    );
  },
);

/** Everything a terminal, a log viewer or a browser could obey: line feeds are the only control there is. */
const obeyed = /[^\P{Cc}\n]|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}|\p{Noncharacter_Code_Point}/u;

test.for(formats)('%s lets no control character through, and ends its last line', (format) => {
  fc.assert(
    fc.property(anyReport, anyOptions, (report, options) => {
      const output = reporters[format].render(report, options);
      expect(obeyed.exec(output)).toBeNull();
      expect(output).toMatch(/^$|\n$/);
    }),
  );
});

test('text keeps to its columns', () => {
  fc.assert(
    fc.property(anyReport, anyOptions, (report, options) => {
      const width = Math.min(Math.max(options.width, 40), 120);
      for (const line of reporters.text.render(report, options).split('\n')) {
        expect(columns(line)).toBeLessThanOrEqual(width);
      }
    }),
  );
});

test('colour adds nothing but colour', () => {
  fc.assert(
    fc.property(anyReport, anyOptions, (report, options) => {
      const painted = reporters.text.render(report, { ...options, color: true });
      // oxlint-disable-next-line no-control-regex
      expect(painted.replaceAll(/\u001b\[\d+m/g, '')).toBe(reporters.text.render(report, options));
    }),
  );
});

test('json says exactly what the report says', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      expect(JSON.parse(reporters.json.render(report, asked))).toEqual(JSON.parse(JSON.stringify(report)));
    }),
  );
});

test('ndjson is a JSON object a line: start, checks, rows, end', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const lines = reporters.ndjson.render(report, asked).split('\n').slice(0, -1);
      const types = lines.map((line) => (JSON.parse(line) as { type: string }).type);
      const { checks, rows } = report;
      expect(types).toEqual(['start', ...checks.map(() => 'check'), ...rows.map(() => 'row'), 'end']);
    }),
  );
});

test('junit is well-formed, with a case for every row and totals that add up', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const root = readXml(reporters.junit.render(report, asked));
      const cases = descendants(root, 'testcase');
      expect(cases).toHaveLength(report.rows.length);
      expect(root.attributes).toMatchObject({
        tests: `${cases.length}`,
        failures: `${descendants(root, 'failure').length}`,
        skipped: `${descendants(root, 'skipped').length}`,
      });
    }),
  );
});

test('a junit failure has the outcome as its type', () => {
  const cases = descendants(readXml(reporters.junit.render(mixed, asked)), 'testcase');
  const types = cases.map(({ attributes, children }) => [attributes['name'], children[0]?.attributes['type']]);
  expect(Object.fromEntries(types)).toMatchObject({
    'license-initial': 'refused',
    iscsi: 'unresolved',
    ntp: 'declined',
  });
});

test('html is well-formed, runs its own script alone, leads to itself alone, and fetches nothing', () => {
  const own = /<script>([^<]*)<\/script>/.exec(reporters.html.render(mixed, asked))?.[1] ?? '';
  const hash = createHash('sha256').update(own).digest('base64');
  fc.assert(
    fc.property(anyReport, anyOptions, (report, options) => {
      const page = reporters.html.render(report, options);
      const root = readXml(page);
      for (const name of ['img', 'link', 'iframe', 'object', 'base']) expect(descendants(root, name)).toEqual([]);
      expect(descendants(root, 'script')).toHaveLength(1);
      expect(page.split(own)).toHaveLength(2);
      expect(page).toContain(`script-src &#39;sha256-${hash}&#39;`);
      const targets = new Set(page.matchAll(/ id="([^"]*)"/g).map(([, id]) => `#${id}`));
      const leads = page.matchAll(/ (?:href|src|action)="([^"]*)"/g).map(([, to]) => to!);
      for (const to of leads) expect(targets).toContain(to);
    }),
  );
});

test('html tells each failure once: its sentence stands in one place', () => {
  const page = reporters.html.render(mixed, asked);
  const visible = page.replaceAll(/<details class="checks">.*?<\/details>/gs, '');
  const failing = mixed.rows.filter(({ verdict }) => verdict === 'fail');
  expect(failing.length).toBeGreaterThan(3);
  for (const { because } of failing) expect(visible.split(markup(because!)).length - 1).toBeLessThanOrEqual(1);
});

test('prometheus follows the text format', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      expect(() => readMetrics(reporters.prometheus.render(report, asked))).not.toThrow();
    }),
  );
});

test('prometheus has certificates under both spellings, clocks and verdicts', () => {
  const series = readMetrics(reporters.prometheus.render(mixed, asked));
  const values = (name: string): number[] => series.filter((each) => each.name === name).map(({ value }) => value);
  expect(values('xenreach_certificate_not_after_timestamp_seconds')).toEqual([1806451199, 1788861600, 1798675200]);
  expect(values('xenreach_ntp_offset_seconds')).toEqual([0.000412]);
  expect(values('xenreach_run_complete')).toEqual([0]);
  expect(series).toContainEqual({
    name: 'xenreach_row_verdict',
    labels: { row: 'ntp', section: 'ports', from: 'xenserver-host', to: 'ntp-server', verdict: 'fail' },
    value: 1,
  });
  expect(series.find(({ name }) => name === 'xenreach_info')?.labels['site']).toBe(mixed.site.name);
});

test('markdown rows have as many cells as their heads', () => {
  fc.assert(
    fc.property(anyReport, anyOptions, (report, options) => {
      const output = reporters.markdown.render(report, options);
      expect(output).not.toMatch(/<|>/);
      for (const [head, ...rows] of readTables(output)) {
        expect(head!.length).toBeGreaterThan(1);
        for (const cells of rows) expect(cells).toHaveLength(head!.length);
      }
    }),
  );
});

test('nagios has one pipe, before the performance figures of the first line', () => {
  const figures = /^XENREACH (?:OK|WARNING|CRITICAL|UNKNOWN) - [^|]+ \| (?:[a-z]+=\d+ ){4}time=\d+\.\d{3}s$/;
  fc.assert(
    fc.property(anyReport, anyOptions, (report, options) => {
      const [first, ...others] = reporters.nagios.render(report, options).split('\n');
      expect(first).toMatch(figures);
      expect(others.join('\n')).not.toContain('|');
    }),
  );
});

test('text says how many failing checks it leaves out', () => {
  const large = largeReport(20);
  const checks = large.checks.map((check, i) => Object.assign({}, check, { detail: `trouble ${i}` }));
  const text = reporters.text.render({ ...large, checks }, asked);
  expect(text).toContain('and 12 more: --verbose or --format json lists them');
});

test('text says once what several ports of a host met', () => {
  const large = largeReport(20);
  const [first] = large.checks;
  const checks = large.checks.map((check, i) =>
    Object.assign({}, check, {
      host: first!.host,
      address: first!.address,
      detail: 'nothing came back',
      port: 6910 + i,
    }),
  );
  const text = reporters.text.render({ ...large, checks }, { ...asked, width: 120 });
  expect(text).toContain('6910-6929: ');
  expect(text).not.toContain('and 12 more');
});

test.for(formats)('%s takes time in proportion to the checks', { timeout: 60_000, retry: 3 }, (format) => {
  const small = largeReport(2000);
  const large = largeReport(16_000);
  const time = (report: typeof small): number => {
    const start = performance.now();
    reporters[format].render(report, { ...asked, verbose: true });
    return performance.now() - start;
  };
  time(small);
  // Eight times the checks: a square would take sixty-four times as long. The floor is for clocks and collectors.
  expect(time(large)).toBeLessThan(32 * Math.max(10, Math.min(time(small), time(small))));
});
