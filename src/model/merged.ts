/**
 * What a report of several vantages says more than that of one: which runs it was put together from, and for each row who
 * spoke of it and who should have. With it a merged report can be taken apart again, and merged with others.
 */
import * as v from 'valibot';
import { skipReasons } from './plan.ts';
import { rowVerdicts } from './verdict.ts';

const Text = v.pipe(v.string(), v.description('text'));
const Texts = v.array(Text);
const Count = v.pipe(v.number(), v.integer(), v.minValue(0), v.description('a whole number from 0'));
const Milliseconds = v.pipe(v.number(), v.minValue(0), v.description('milliseconds'));

/** One run of one vantage. Its checks have `VANTAGE>` in front of their ids. */
export const MergedRunShape = v.object({
  /** The machine's name; with its address, its roles or the time behind it where that alone is not one run's. */
  vantage: Text,
  roles: Texts,
  startedAt: v.pipe(v.string(), v.isoTimestamp(), v.description('a time by ISO 8601')),
  /** Behind the newest run of the picture. */
  ageMs: Milliseconds,
  complete: v.boolean(),
  /** Of the file that it came in. */
  sha256: Text,
  /** Older than `--max-age`: what it says counts no more. */
  stale: v.boolean(),
  hostname: Text,
  addresses: Texts,
  roots: v.optional(Texts),
  durationMs: v.nullable(Milliseconds),
  /** Of xenreach there. */
  version: Text,
  stats: v.object({ maxInFlight: Count, connects: Count, datagrams: Count, peakRssMiB: Count }),
});

/** What one run said of a row, in its own words. */
export const SourceShape = v.object({
  vantage: Text,
  verdict: v.picklist(rowVerdicts),
  because: v.nullable(Text),
  remedy: v.nullable(Text),
  skip: v.nullable(v.picklist(skipReasons)),
  notes: Texts,
  /** Of a run that is too old: it counts no more. */
  stale: v.optional(v.literal(true)),
});

export const CoverageShape = v.object({
  /** How many of the machines that play the row's `from` role were heard. */
  have: Count,
  /** How many of them are known; one at least. */
  of: Count,
  /** The others: by the name that they report with, by that of the site, or, where no machine is known, the role. */
  missing: Texts,
});

/** Between a vantage and the id of its check. No vantage's name holds it. */
export const separator = '>';

/** "xs-lon-07" of "xs-lon-07>ntp/10.20.30.5:123". */
export const vantageOf = (checkId: string): string => checkId.slice(0, Math.max(0, checkId.indexOf(separator)));
