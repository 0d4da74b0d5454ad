/**
 * For a tired administrator at two in the morning: what was checked, then what fails and what to do about it, then what
 * could not be proven, then every row in one line, then what was left out and why. The last line says it all again.
 */
import { styleText } from 'node:util';
import { hostPort } from '../model/address.ts';
import type { Cause, RenderOptions, Report, ReportCheck, Reporter, ReportRow } from '../model/report.ts';
import type { RowVerdict } from '../model/verdict.ts';
import { json, plain } from './escape.ts';
import { columns, pad, wrap } from './layout.ts';
import { matrixLines } from './text-matrix.ts';
import * as say from './phrases.ts';
import { checkedBy, sourcesText, unheard, vantageSummaries, type CheckedBy } from './vantages.ts';

const narrowest = 40;
const widest = 120;

/** A row with hundreds of hosts explains itself with the first few; `--verbose` and JSON have them all. */
const culpritsShown = 8;

const vantagesShown = 12;

const gap = '  ';
const indent = ' '.repeat(6);

const styles = {
  pass: ['green'],
  warn: ['yellow'],
  fail: ['red', 'bold'],
  unverified: ['magenta'],
  skipped: ['dim'],
  heading: ['bold'],
  aside: ['dim'],
} as const;

type Lines = Iterable<string>;

interface Page {
  readonly report: Report;
  readonly options: RenderOptions;
  readonly width: number;
  readonly paint: (style: keyof typeof styles, text: string) => string;
  readonly checksOf: say.ChecksOf;
  /** In a merged report: whose a check is. */
  readonly by: CheckedBy;
}

export const text: Reporter = {
  about: 'for a person at a terminal: failures first, each with its reason and remedy',
  render(report, options) {
    const page: Page = {
      report,
      options,
      width: Math.min(Math.max(options.width, narrowest), widest),
      paint: (style, shown) => (options.color ? styleText(styles[style], shown, { validateStream: false }) : shown),
      checksOf: say.indexChecks(report),
      by: checkedBy(report),
    };
    if (options.quiet && report.exitCode === 0) return '';
    const blocks = say.isPlan(report) ? plan(page) : options.quiet ? quiet(page) : full(page);
    const texts = Array.from(blocks, (lines) => [...lines].join('\n'));
    return `${texts.filter((block) => block !== '').join('\n\n')}\n`;
  },
};

function* full(page: Page): Iterable<Lines> {
  yield heading(page);
  yield vantages(page);
  yield* explainedByCause(page, 'fail');
  yield* explainedByCause(page, 'unverified');
  yield* explained(page, 'warn');
  if (page.report.merged) yield matrixText(page);
  yield* tables(page);
  yield skips(page);
  if (page.options.verbose) yield evidence(page);
  yield summary(page);
}

function* quiet(page: Page): Iterable<Lines> {
  yield* explainedByCause(page, 'fail');
  yield summary(page);
}

function* plan(page: Page): Iterable<Lines> {
  const { report, width } = page;
  const going = report.rows.filter((row) => !say.isSkipped(row));
  yield heading(page);
  for (const section of say.bySection(report, going)) yield plannedSection(page, section);
  yield skips(page);
  yield inputs(page);
  const total = `Plan: ${say.plural(report.checks.length, 'check')} for ${say.plural(going.length, 'row')}`;
  const left = `${report.rows.length - going.length} skipped. ${say.elsewhere(report)} Nothing was sent.`;
  yield wrap(`${total}; ${left}`, width);
}

/** Whoever got the site from somebody else sees what it would read and whom it would trust with it. */
function* inputs(page: Page): Lines {
  const { inputs: read } = page.report;
  if (!read) return;
  yield* headline(page, 'What a run reads, and the proxy');
  for (const { as, path, note } of read.files) {
    yield* wrap(`${as} ${path}${note === null ? '' : `: ${note}`}`, page.width, gap);
  }
  const { proxy } = read;
  const user = proxy?.username == null ? '' : `, as ${proxy.username}`;
  if (proxy) yield* wrap(`proxy ${hostPort(proxy.host, proxy.port)}${user}`, page.width, gap);
}

function* plannedSection(page: Page, { title, rows }: say.Section): Lines {
  yield* headline(page, title);
  for (const row of rows) {
    yield* wrap(say.route(row), page.width, gap);
    for (const check of page.checksOf(row)) {
      yield* wrap(`${say.endpoint(check)} ${say.protocol(check)}`, page.width, `${indent}- `);
    }
    yield* notes(page, row);
  }
}

function* heading({ report, width, paint }: Page): Lines {
  const judged = report.rows.filter((row) => !say.isSkipped(row)).length;
  const scope = `${say.plural(report.summary.checks, 'check')} for ${judged} of ${say.plural(report.rows.length, 'row')}`;
  for (const line of wrap(say.subject(report), width)) yield paint('heading', line);
  for (const line of wrap(`${say.when(report)}, ${scope}`, width)) yield paint('aside', line);
  for (const line of wrap(say.roots(report), width)) yield paint('aside', line);
  for (const line of wrap(say.incompleteness(report), width)) yield paint('fail', line);
  yield* wrap(say.sinceThen(report), width);
}

/** Who was heard, those with failures first. */
function* vantages(page: Page): Lines {
  const all = vantageSummaries(page.report);
  if (all.length === 0) return;
  const shown = page.options.verbose ? all : all.slice(0, vantagesShown);
  const width = Math.min(
    (page.width >> 1) - 2 * gap.length,
    Math.max(...shown.map(({ run }) => columns(plain(run.vantage)))),
  );
  yield* headline(page, 'Who was heard');
  for (const { run, counts, trouble } of shown) {
    const told = [trouble, say.countsText(counts), run.startedAt].filter((each) => each !== '').join(', ');
    yield* wrap(told, page.width, `${gap}${pad(run.vantage, width)}${gap}`);
  }
  if (all.length > shown.length) yield* wrap(`and ${all.length - shown.length} more`, page.width, gap);
  for (const each of unheard(page.report)) yield* wrap(each, page.width, gap);
}

/** Causes before symptoms: what several rows have in common is one block, and `--verbose` explains its rows too. */
function* explainedByCause(page: Page, verdict: 'fail' | 'unverified'): Iterable<Lines> {
  const { shared, single } = say.byCause(page.report, verdict, page.checksOf);
  for (const cause of shared) yield causeBlock(page, cause, verdict);
  const rows = page.options.verbose ? page.report.rows.filter((row) => row.verdict === verdict) : single;
  for (const row of rows) yield explanation(page, row, verdict);
}

function* causeBlock(page: Page, cause: Cause, verdict: RowVerdict): Lines {
  const { width } = page;
  yield* titled(page, `${say.plural(cause.rows.length, 'row')}: ${cause.text}`, verdict);
  if (cause.remedy !== null) yield* wrap(cause.remedy, width, `${indent}Do: `);
  yield* wrap(cause.rows.join(', '), width, `${indent}Rows: `);
}

/** The verdict's word, and a first line that may be long. */
function* titled({ width, paint }: Page, shown: string, verdict: RowVerdict): Lines {
  const word = say.words[verdict];
  const [first = '', ...others] = wrap(shown, width, `${word}${gap}`);
  yield paint(verdict, word) + first.slice(word.length);
  yield* others;
}

/** A block for each row with this verdict: failures with the checks that failed, the others with the reason alone. */
function* explained(page: Page, verdict: RowVerdict): Iterable<Lines> {
  for (const row of page.report.rows) if (row.verdict === verdict) yield explanation(page, row, verdict);
}

function* explanation(page: Page, row: ReportRow, verdict: RowVerdict): Lines {
  const { width } = page;
  yield* titled(page, say.route(row), verdict);
  yield* wrap(row.because ?? '', width, indent);
  if (row.remedy !== null) yield* wrap(row.remedy, width, `${indent}Do: `);
  yield* wrap(sourcesText(row), width, `${indent}Seen: `);
  if (verdict === 'fail' || verdict === 'unverified') yield* failedChecks(page, row);
  yield* notes(page, row);
}

function* failedChecks({ options, width, checksOf, by }: Page, row: ReportRow): Lines {
  const checks = checksOf(row);
  const failed = say.culprits(row, checks);
  const lines = options.verbose ? failed.map((check) => say.checkLine(check, by)) : say.hostLines(failed, by);
  const shown = options.verbose ? lines : lines.slice(0, culpritsShown);
  const hidden = lines.length - shown.length;
  if (row.purpose !== '' && row.verdict === 'fail') yield* wrap(row.purpose, width, `${indent}Needed for: `);
  // One culprit alone is what the reason above is about.
  if (failed.length > 1 || options.verbose) {
    for (const line of shown) yield* wrap(line, width, `${indent}- `);
  }
  if (hidden > 0) yield* wrap(`and ${hidden} more: --verbose or --format json lists them`, width, `${indent}- `);
  const others = checks.length - failed.length;
  if (others > 0) yield* wrap(`Its other ${say.plural(others, 'check')}: ${tally(checks, failed)}.`, width, indent);
}

function tally(checks: readonly ReportCheck[], failed: readonly ReportCheck[]): string {
  const excluded = new Set(failed);
  const others = checks.filter((check) => !excluded.has(check));
  const groups = Map.groupBy(others, ({ verdict, advisory }) => (advisory ? 'advisory' : (verdict ?? 'open')));
  return [...groups].map(([word, members]) => `${members.length} ${word}`).join(', ');
}

function* notes({ width }: Page, row: ReportRow): Lines {
  for (const note of row.notes) yield* wrap(note, width, `${indent}Note: `);
}

/** Every judged row in one line; what was explained above is not explained again. */
function* tables(page: Page): Iterable<Lines> {
  const judged = page.report.rows.filter((row) => !say.isSkipped(row));
  for (const section of say.bySection(page.report, judged)) yield table(page, section);
}

function* table(page: Page, { title, rows }: say.Section): Lines {
  const lines = rows.map((row) => ({ row, cells: cellsOf(row) }));
  const [wordWidth, ...widths] = columnWidths(
    lines.map(({ cells }) => cells),
    page.width,
  );
  yield* headline(page, title);
  for (const { row, cells } of lines) {
    const [word, ...others] = cells;
    const shown = others.map((each, column) => pad(each, widths[column] ?? 0)).join(gap);
    yield `${gap}${page.paint(row.verdict ?? 'aside', pad(word, wordWidth))}${gap}${shown}`.trimEnd();
    if (row.verdict === 'pass') yield* notes(page, row);
  }
}

type Cells<T> = readonly [T, T, T, T];

/** What was explained above is not said again. */
const cellsOf = (row: ReportRow): Cells<string> => [
  say.rowWord(row),
  plain(row.id),
  plain(say.service(row)),
  row.verdict === 'pass' ? plain(row.because ?? '') : '',
];

/** The reason gets what is left, 20 columns at least: ports and id give way, in this order. */
function columnWidths(cells: readonly Cells<string>[], width: number): Cells<number> {
  const longest = (column: 0 | 1 | 2 | 3): number =>
    cells.reduce((most, row) => Math.max(most, columns(row[column])), 0);
  const word = longest(0);
  const room = width - word - 4 * gap.length;
  const decent = shrink(
    { ports: longest(3) === 0 ? longest(2) : Math.min(22, longest(2)), id: longest(1) },
    { ports: 10, id: 8 },
    room - Math.min(20, longest(3)),
  );
  // On a line too narrow for these there is no reason at all, and still a verdict.
  const kept = shrink(decent, { ports: 4, id: 4 }, room);
  return [word, kept.id, kept.ports, room - kept.id - kept.ports];
}

interface Widths {
  readonly ports: number;
  readonly id: number;
}

function shrink(have: Widths, least: Widths, room: number): Widths {
  let over = have.ports + have.id - room;
  const shrunk = (column: keyof Widths): number => {
    const given = Math.max(0, Math.min(over, have[column] - least[column]));
    over -= given;
    return have[column] - given;
  };
  return { ports: shrunk('ports'), id: shrunk('id') };
}

function* matrixText(page: Page): Lines {
  yield* headline(page, 'From role to role, the worst of its rows');
  yield* matrixLines(page.report.rows, page.width, (verdict, shown) =>
    page.paint(verdict === 'plan' ? 'aside' : verdict, shown),
  );
}

function* skips(page: Page): Lines {
  const { report, width } = page;
  for (const [reason, groups] of Map.groupBy(say.skipGroups(report), (group) => group.reason)) {
    const count = groups.reduce((sum, group) => sum + group.rows.length, 0);
    yield* headline(page, `${say.words.skipped}  ${reason}, ${say.plural(count, 'row')}`);
    // Whoever asked for some rows knows that the others were not asked for.
    if (reason === 'not-selected' && !page.options.verbose) continue;
    for (const { rows, because, remedy } of groups) {
      yield* wrap(rows.map((row) => row.id).join(', '), width, gap);
      yield* wrap(because, width, indent);
      if (remedy !== null) yield* wrap(remedy, width, `${indent}Do: `);
    }
  }
}

function* evidence(page: Page): Lines {
  yield* headline(page, 'Every check');
  for (const check of page.report.checks) yield* checkEvidence(page, check);
}

function* checkEvidence({ width, paint, by }: Page, check: ReportCheck): Lines {
  const word = check.verdict === null ? 'OPEN' : say.words[check.verdict];
  const [first = '', ...others] = wrap(say.checkLine(check, by), width, `${gap}${word}${gap}`);
  yield gap + paint(check.verdict ?? 'aside', word) + first.slice(gap.length + word.length);
  yield* others;
  const facts = [
    `rows ${check.rows.join(', ')}`,
    say.plural(check.attempts, 'attempt'),
    check.durationMs === null ? '' : say.took(check.durationMs),
    check.code ?? '',
    check.advisory ? 'advisory' : '',
  ];
  for (const line of wrap(facts.filter((fact) => fact !== '').join('; '), width, indent)) yield paint('aside', line);
  for (const warning of check.warnings) yield* wrap(warning, width, `${indent}Warning: `);
  for (const note of check.notes) yield* wrap(note, width, `${indent}Note: `);
  for (const [key, value] of Object.entries(check.evidence)) {
    yield* wrap(`${key}: ${typeof value === 'string' ? value : json(value)}`, width, indent);
  }
}

function* summary({ report, width, paint }: Page): Lines {
  const { verdict } = report.summary;
  const word = verdict === null ? 'NOTHING CHECKED' : say.words[verdict];
  const sentences = [
    `${say.counts(report)}.`,
    say.elsewhere(report),
    say.incompleteness(report),
    say.exitMeaning(report),
  ];
  const [first = '', ...others] = wrap(`${word}: ${sentences.filter((each) => each !== '').join(' ')}`, width);
  yield paint(verdict ?? 'aside', word) + first.slice(word.length);
  yield* others;
}

function* headline({ width, paint }: Page, shown: string): Lines {
  for (const line of wrap(shown, width)) yield paint('heading', line);
}
