/** The history in words, as JSON or as CSV. */
import { didYouMean } from '../../load/nearest.ts';
import { spell } from '../../model/duration.ts';
import { UsageError } from '../../model/errors.ts';
import { csvText } from '../../report/csv.ts';
import { json } from '../../report/escape.ts';
import { words } from '../../report/phrases.ts';
import { uptimeText } from '../pages/uptime.ts';
import { gaps, incidents, spans, uptimeOf, type Gap, type PastIncident, type Span, type Uptime } from './ask.ts';
import type { History } from './history.ts';

export const historyFormats = ['text', 'json', 'csv'] as const;
export type HistoryFormat = (typeof historyFormats)[number];

export interface HistoryQuestion {
  readonly from: number;
  readonly to: number;
  /** None: all. */
  readonly rows: readonly string[];
}

interface RowPast {
  readonly id: string;
  readonly uptime: Uptime;
  readonly spans: readonly Span[];
}

interface SourcePast {
  readonly site: string;
  readonly vantage: string;
  readonly rows: readonly RowPast[];
  readonly gaps: readonly Gap[];
  readonly incidents: readonly PastIncident[];
}

const mostIncidents = 1000;

export function renderHistory(history: History, question: HistoryQuestion, format: HistoryFormat): string {
  const past = history.sources().map((source) => pastOf(history, source, question));
  const known = new Set(
    history.db
      .sql('SELECT DISTINCT row FROM span')
      .all()
      .map(({ row }) => String(row)),
  );
  const strange = question.rows.find((row) => !known.has(row));
  if (strange !== undefined)
    throw new UsageError(`--row ${strange}: nothing is known of it${didYouMean(strange, known)}`);
  return formats[format](past, question);
}

function pastOf(
  { db }: History,
  { id, site, vantage }: { id: number; site: string; vantage: string },
  { from, to, rows }: HistoryQuestion,
): SourcePast {
  const byRow = [...Map.groupBy(spans(db, id, from, to), ({ row }) => row)];
  // What the site does not have is no past, unless it is asked for.
  const isPast = (members: readonly Span[]): boolean => members.some(({ verdict }) => verdict !== 'skipped');
  const wanted = byRow.filter(([row, members]) => (rows.length === 0 ? isPast(members) : rows.includes(row)));
  const its = incidents(db, id, mostIncidents).filter(
    ({ since, until, rows: members }) =>
      since <= to && (until ?? to) >= from && (rows.length === 0 || members.some((row) => rows.includes(row))),
  );
  return {
    site,
    vantage,
    rows: wanted.map(([row, members]) => ({ id: row, uptime: uptimeOf(members, from, to), spans: members })),
    gaps: gaps(db, id, from, to),
    incidents: its,
  };
}

type Render = (past: readonly SourcePast[], question: HistoryQuestion) => string;

const time = (at: number): string => new Date(at).toISOString();

const text: Render = (past, { from, to, rows }) =>
  past
    .map(({ site, vantage, rows: its, gaps: holes, incidents: known }) =>
      [
        `${site}, seen from ${vantage}, ${time(from)} to ${time(to)}`,
        ...known.map(
          ({ text: what, since, until, rows: members }) =>
            `  ${until === null ? 'OPEN' : 'over'}  ${time(since)}, ${spell((until ?? to) - since)}: ${what} (${members.join(', ')})`,
        ),
        ...holes.map(({ since, until, why }) => `  gap   ${time(since)}, ${spell(until - since)}: ${why}`),
        ...its.flatMap(({ id, uptime, spans: members }) => [
          `  ${id.padEnd(28)} ${uptimeText(uptime)}`,
          // One row is asked for with all that happened to it; of many the sum is enough.
          ...(rows.length === 0
            ? []
            : members.map(
                ({ since, until, verdict, because }) =>
                  `    ${time(since)}  ${words[verdict].padEnd(10)} ${spell(until - since)}${because === null ? '' : `: ${because}`}`,
              )),
        ]),
        '',
      ].join('\n'),
    )
    .join('\n');

const asJson: Render = (past, { from, to }) =>
  `${json(
    {
      from: time(from),
      to: time(to),
      sources: past.map((source) => ({
        site: source.site,
        vantage: source.vantage,
        rows: source.rows.map(({ id, uptime, spans: members }) => ({
          id,
          ...uptime,
          spans: members.map(({ since, until, verdict, because }) => ({
            since: time(since),
            until: time(until),
            verdict,
            because,
          })),
        })),
        gaps: source.gaps.map(({ since, until, why }) => ({ since: time(since), until: time(until), why })),
        incidents: source.incidents.map(({ id, kind, text: what, remedy, rows, since, until }) => ({
          id,
          kind,
          text: what,
          remedy,
          rows,
          since: time(since),
          until: until === null ? null : time(until),
        })),
      })),
    },
    2,
  )}\n`;

const columns = ['site', 'vantage', 'row', 'since', 'until', 'seconds', 'verdict', 'because'] as const;

const csv: Render = (past) =>
  csvText([
    columns,
    ...past.flatMap(({ site, vantage, rows, gaps: holes }) => [
      ...rows.flatMap(({ id, spans: members }) =>
        members.map(({ since, until, verdict, because }) => [
          site,
          vantage,
          id,
          time(since),
          time(until),
          Math.round((until - since) / 1000),
          verdict,
          because,
        ]),
      ),
      ...holes.map(({ since, until, why }) => [
        site,
        vantage,
        '',
        time(since),
        time(until),
        Math.round((until - since) / 1000),
        'not watched',
        why,
      ]),
    ]),
  ]);

const formats: Readonly<Record<HistoryFormat, Render>> = { text, json: asJson, csv };
