/** Reports from elsewhere: posted with a site's token, or put into a folder. Hostile until they are read. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { show } from '../load/faults.ts';
import { parseReport } from '../load/report.ts';
import { readFile } from '../load/read-file.ts';
import { UsageError } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import { Id } from '../model/spec.ts';
import type { Watch } from './watch.ts';

export const maxReportBytes = 4 * 1024 * 1024;
const mostRows = 2000;
/** Clocks differ. */
const mostAheadMs = 5 * 60_000;

export interface Answer {
  readonly status: 200 | 202 | 400 | 403 | 409 | 413;
  readonly text: string;
}

/** `site`: whose token it came with; null for a file of the folder. */
export function takeReport(watch: Watch, body: Uint8Array, name: string, site: string | null): Answer {
  if (body.length > maxReportBytes) return { status: 413, text: `more than ${maxReportBytes / 1024 / 1024} MiB` };
  let report: Report;
  try {
    report = parseReport(body, name);
  } catch (error) {
    if (error instanceof UsageError) return { status: 400, text: error.message };
    throw error;
  }
  if (site !== null && report.site.name !== site)
    return { status: 403, text: `the token is for the site ${site}, the report is of ${report.site.name}` };
  const fault = faultOf(report, watch);
  if (fault !== null) return { status: 400, text: fault };
  const digest = createHash('sha256').update(body).digest('hex');
  const at = Date.parse(report.startedAt) + (report.durationMs ?? 0);
  const staleMs = watch.subject.config.inbox?.staleMs ?? 3_600_000;
  const rows = new Set(report.rows.map((row) => row.id));
  const patienceMs = (): number => 2 * staleMs;
  return answers[watch.ingest(report.site.name, { report, rows, checks: report.checks, at, digest, patienceMs })];
}

const answers = {
  taken: { status: 202, text: 'taken' },
  'not kept': { status: 409, text: 'it could not be kept' },
  known: { status: 200, text: 'known already' },
  full: { status: 409, text: 'reports of as many machines as are remembered come in already' },
  older: { status: 409, text: 'a later report of this vantage is known already' },
} as const;

function faultOf(report: Report, watch: Watch): string | null {
  const { own } = watch;
  const fault = shapeFaultOf(report);
  if (fault !== null) return fault;
  if (report.site.name === own.site && report.vantage.hostname === own.vantage)
    return 'this very machine watches that site itself';
  if (Date.parse(report.startedAt) > watch.clock.wall() + mostAheadMs)
    return `it is of the future (${report.startedAt}): one of the clocks is wrong`;
  return null;
}

/** What a report must not be, wherever it comes from. */
export function shapeFaultOf(report: Report): string | null {
  if (report.checks.every(({ outcome }) => outcome === null)) return 'it is the report of a plan: nothing was tried';
  if (report.rows.length > mostRows) return `it has more than ${mostRows} rows`;
  const strange = report.rows.find(({ id }) => !v.is(Id, id));
  if (strange) return `its row ${show(strange.id)} is called as no row is`;
  if (report.site.name.length > 200 || report.vantage.hostname.length > 255) return 'its names are too long';
  if (report.vantage.hostname === '') return 'it does not say where it was made (vantage.hostname)';
  return null;
}

/** Looks into the folder again and again. A file is gone when it is taken, and renamed when it is not. */
export class InboxFolder {
  readonly #folder: string;
  readonly #say: (text: string) => void;
  #trouble: string | null = null;

  constructor(folder: string, say: (text: string) => void) {
    this.#folder = folder;
    this.#say = say;
  }

  look(watch: Watch): void {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o770 });
      const names = readdirSync(this.#folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
      for (const name of names.toSorted().slice(0, 100)) this.#take(watch, join(this.#folder, name));
      this.#trouble = null;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (this.#trouble === null) this.#say(`the inbox ${this.#folder} cannot be read: ${text}`);
      this.#trouble = text;
    }
  }

  #take(watch: Watch, file: string): void {
    const answer = this.#read(watch, file);
    if (answer.status === 200 || answer.status === 202) return rmSync(file);
    this.#say(`${file} is not taken: ${answer.text}`);
    renameSync(file, `${file}.refused`);
  }

  #read(watch: Watch, file: string): Answer {
    try {
      return takeReport(watch, readFile(file, maxReportBytes), file, null);
    } catch (error) {
      if (error instanceof UsageError) return { status: 400, text: error.message };
      throw error;
    }
  }
}
