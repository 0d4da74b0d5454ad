/** `xenreach check` on a whole site, as a user of one machine of the lab runs it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFailed } from 'vitest';
import type { Report, ReportCheck, ReportRow } from '../../src/model/report.ts';
import type { Host } from './netns.ts';
import { reportOf, runXenreach, type Ran, type RunOptions } from './run-xenreach.ts';

export interface SiteRun {
  readonly ran: Ran;
  readonly report: Report;
  readonly row: (id: string) => ReportRow;
  /** The checks of a row, in the report's order. */
  readonly checks: (row: string) => readonly ReportCheck[];
}

interface SiteOptions extends RunOptions {
  readonly args?: readonly string[];
  /** Files that the site names, and more than that. */
  readonly files?: Readonly<Record<string, string>>;
  /** Of the test's own context, where tests run beside each other. */
  readonly onTestFailed?: typeof onTestFailed;
}

export async function checkSite(from: Host, site: object, options: SiteOptions = {}): Promise<SiteRun> {
  const ran = await runOnSite(from, site, { ...options, args: ['--format', 'json', ...(options.args ?? [])] });
  const report = reportOf(ran);
  (options.onTestFailed ?? onTestFailed)(() => void process.stderr.write(`${toldOf(report)}\n`));
  const row = (id: string): ReportRow => {
    const found = report.rows.find((each) => each.id === id);
    if (!found) throw new Error(`the report has no row ${id}`);
    return found;
  };
  return { ran, report, row, checks: (id) => report.checks.filter(({ rows }) => rows.includes(id)) };
}

/** The same in whatever format `args` ask for. JSON is YAML, so a site is written as JSON. */
export async function runOnSite(from: Host, site: object, options: SiteOptions = {}): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'xenreach-site-'));
  try {
    const files = { 'site.yaml': JSON.stringify({ name: 'lab', ...site }, null, 2), ...options.files };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
    return await runXenreach(['check', ...(options.args ?? [])], {
      limitMs: 60_000,
      ...options,
      namespace: from.namespace,
      cwd: folder,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every row that was checked, with its verdict: what a test says about a report at one glance. */
export const verdictsOf = ({ rows }: Report): Record<string, string | null> =>
  Object.fromEntries(rows.filter(({ verdict }) => verdict !== 'skipped').map(({ id, verdict }) => [id, verdict]));

/** What whoever reads of a failed test wants to know. */
const toldOf = ({ rows }: Report): string =>
  rows
    .filter(({ verdict }) => verdict !== 'skipped')
    .map(({ id, verdict, because, notes }) => [`${id}: ${verdict}: ${because}`, ...notes].join('\n    '))
    .join('\n');
