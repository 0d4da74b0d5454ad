/**
 * The whole run as one JSON value, `xenreach.report/1`: the input of every reporter and the contract with the outside. The
 * schema is the type: the JSON Schema for users and the reader of saved reports are made from it. A newer xenreach may add
 * keys, so unknown ones are passed over.
 */
import * as v from 'valibot';
import { CoverageShape, MergedRunShape, SourceShape } from './merged.ts';
import { hints, outcomes, stages, type Evidence } from './outcome.ts';
import { skipReasons } from './plan.ts';
import { Basis, Confidence } from './spec.ts';
import { modes, rowVerdicts } from './verdict.ts';

const Text = v.pipe(v.string(), v.description('text'));
const Texts = v.array(Text);
const Count = v.pipe(v.number(), v.integer(), v.minValue(0), v.description('a whole number from 0'));
const Milliseconds = v.pipe(v.number(), v.minValue(0), v.description('milliseconds'));
const Time = v.pipe(v.string(), v.isoTimestamp(), v.description('a time by ISO 8601'));
const TransportName = v.picklist(['tcp', 'udp']);
const CheckVerdictName = v.picklist(['pass', 'warn', 'fail', 'unverified']);

export const reportSchema = 'xenreach.report/1';

const RowShape = v.object({
  /** Stable for ever. */
  id: Text,
  section: Text,
  from: Text,
  to: Text,
  transports: v.array(TransportName),
  /** As the page writes them. */
  ports: Text,
  purpose: Text,
  /** One good host is enough; absent where all are wanted. */
  require: v.optional(v.picklist(['all', 'any'])),
  /** Where several tables were joined: the one that it is from. */
  catalogue: v.optional(Text),
  /** Where it is not a page's own word, or not sure. */
  confidence: v.optional(Confidence),
  basis: v.optional(Basis),
  verdict: v.nullable(v.picklist(rowVerdicts)),
  /** One sentence for a person. */
  because: v.nullable(Text),
  /** What to do next. */
  remedy: v.nullable(Text),
  skip: v.nullable(v.picklist(skipReasons)),
  notes: Texts,
  /** Ids of checks. */
  checks: Texts,
  /** Of several vantages: what each said, and who said nothing. */
  sources: v.optional(v.array(SourceShape)),
  coverage: v.optional(CoverageShape),
  /** Those of them that count for nothing, as another of which one is enough was better. */
  spared: v.optional(Texts),
  /** With a baseline: the verdict that the row had there. */
  was: v.optional(v.nullable(v.picklist(rowVerdicts))),
});

/** In a plan everything that only a run can know is null. */
const CheckShape = v.object({
  id: Text,
  rows: Texts,
  probe: Text,
  transport: TransportName,
  /** As in the site. */
  host: Text,
  address: v.nullable(Text),
  port: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535), v.description('a port')),
  /** The name itself was the target: nothing was sent to it. */
  isName: v.optional(v.boolean(), false),
  outcome: v.nullable(v.picklist(outcomes)),
  stage: v.nullable(v.picklist(stages)),
  hint: v.nullable(v.picklist(hints)),
  /** The system's or library's own word. */
  code: v.nullable(Text),
  /** One line: what happened, not where. */
  detail: v.nullable(Text),
  remedy: v.optional(v.nullable(Text), null),
  verdict: v.nullable(CheckVerdictName),
  advisory: v.boolean(),
  attempts: Count,
  startedAt: v.nullable(Time),
  durationMs: v.nullable(Milliseconds),
  evidence: v.record(v.string(), v.unknown()),
  warnings: v.optional(Texts, []),
  notes: v.optional(Texts, []),
  /** Through the HTTP proxy; absent where it is not. */
  viaProxy: v.optional(v.boolean()),
});

const SummaryShape = v.object({
  verdict: v.nullable(CheckVerdictName),
  pass: Count,
  warn: Count,
  fail: Count,
  unverified: Count,
  skipped: Count,
  checks: Count,
});

const StatsShape = v.object({ maxInFlight: Count, connects: Count, datagrams: Count, peakRssMiB: Count });

/** What fails together, from this machine outwards. */
export const causeKinds = ['vantage', 'resolver', 'proxy', 'host', 'row'] as const;

/** One thing to mend, and what fails for it. */
const CauseShape = v.object({
  kind: v.picklist(causeKinds),
  text: Text,
  /** Row ids, in the order of the report. */
  rows: Texts,
  /** Check ids. */
  checks: Texts,
  remedy: v.nullable(Text),
});

const ChangeShape = v.object({
  /** Of a row or a check. */
  id: Text,
  was: v.nullable(Text),
  now: v.nullable(Text),
  kind: v.picklist(['newly-failing', 'changed', 'recovered', 'new', 'gone']),
});

/** What is different from an older report. */
const ChangesShape = v.object({ since: Time, rows: v.array(ChangeShape), checks: v.array(ChangeShape) });

/** Known before the first packet: the `start` line of the ndjson stream. */
const HeadShape = v.object({
  schema: v.literal(reportSchema),
  tool: v.object({ name: v.literal('xenreach'), version: Text }),
  spec: v.object({
    id: Text,
    revision: Text,
    sha256: Text,
    rows: Count,
    /** Where several were joined: each of them. */
    catalogues: v.optional(v.array(v.object({ id: Text, title: Text, revision: Text, sha256: Text, rows: Count }))),
  }),
  site: v.object({ name: Text, origin: v.picklist(['file', 'discovered', 'embedded']) }),
  vantage: v.object({
    roles: Texts,
    hostname: Text,
    addresses: Texts,
    /** Whose certificates were believed. */
    roots: v.optional(Texts),
  }),
  mode: v.picklist(modes),
  startedAt: Time,
  /** Of several vantages: the runs that it was put together from. */
  merged: v.optional(v.array(MergedRunShape)),
});

/** Known after the last one: the `end` line. */
const TailShape = v.object({
  durationMs: v.nullable(Milliseconds),
  complete: v.boolean(),
  exitCode: v.nullable(v.pipe(v.number(), v.integer(), v.description('an exit code'))),
  summary: SummaryShape,
  stats: StatsShape,
});

const keysOf = <Key extends string>(shape: { readonly entries: Readonly<Record<Key, unknown>> }): readonly Key[] =>
  Object.keys(shape.entries).filter((key): key is Key => Object.hasOwn(shape.entries, key));

export const headKeys = keysOf(HeadShape);
export const tailKeys = keysOf(TailShape);

/** A file that the command line or the site names. */
const InputFileShape = v.object({
  as: v.picklist(['site', 'spec', 'trust', 'ca', 'proxy.passwordFile', 'pair']),
  path: Text,
  /** Why `check` would not take it. */
  note: v.nullable(Text),
});

const InputsShape = v.object({
  files: v.array(InputFileShape),
  proxy: v.nullable(v.object({ host: Text, port: Count, username: v.nullable(Text) })),
});

export const ReportShape = v.object({
  ...HeadShape.entries,
  ...TailShape.entries,
  sections: v.record(v.string(), Text),
  /** Worst first; a row may have several. */
  causes: v.optional(v.array(CauseShape), []),
  rows: v.array(RowShape),
  checks: v.array(CheckShape),
  /** In a plan: what a run would read and spend. */
  inputs: v.optional(InputsShape),
  changes: v.optional(ChangesShape),
});

/** The lines of the ndjson stream, in the order of their coming. */
export const LineShape = v.variant('type', [
  v.object({ type: v.literal('start'), ...HeadShape.entries }),
  v.object({ type: v.literal('check'), ...CheckShape.entries }),
  v.object({ type: v.literal('row'), ...RowShape.entries }),
  v.object({ type: v.literal('end'), ...TailShape.entries }),
]);

/** A report is never changed once it is made. */
type Fixed<T> = T extends readonly (infer Item)[]
  ? readonly Fixed<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Fixed<T[Key]> }
    : T;

export type ReportRow = Fixed<v.InferOutput<typeof RowShape>>;
export type ReportCheck = Omit<Fixed<v.InferOutput<typeof CheckShape>>, 'evidence'> & { readonly evidence: Evidence };
export type RowSource = Fixed<v.InferOutput<typeof SourceShape>>;
export type Coverage = Fixed<v.InferOutput<typeof CoverageShape>>;
export type MergedRun = Fixed<v.InferOutput<typeof MergedRunShape>>;
export type Summary = Fixed<v.InferOutput<typeof SummaryShape>>;
export type Stats = Fixed<v.InferOutput<typeof StatsShape>>;
export type Cause = Fixed<v.InferOutput<typeof CauseShape>>;
export type CauseKind = Cause['kind'];
export type Change = Fixed<v.InferOutput<typeof ChangeShape>>;
export type Changes = Fixed<v.InferOutput<typeof ChangesShape>>;
export type ReportHead = Fixed<v.InferOutput<typeof HeadShape>>;
export type ReportTail = Fixed<v.InferOutput<typeof TailShape>>;
export type InputFile = Fixed<v.InferOutput<typeof InputFileShape>>;
export type Inputs = Fixed<v.InferOutput<typeof InputsShape>>;

export interface Report extends ReportHead, ReportTail {
  readonly sections: Readonly<Record<string, string>>;
  readonly causes: readonly Cause[];
  readonly rows: readonly ReportRow[];
  readonly checks: readonly ReportCheck[];
  readonly inputs?: Inputs;
  readonly changes?: Changes;
}

/** A reporter turns a report into text. It decides nothing and writes nowhere. */
export interface Reporter {
  readonly about: string;
  render(report: Report, options: RenderOptions): string;
  /** The same text piece by piece, for a format that has everything. */
  pieces?(report: Report): Iterable<string>;
  /** For a format that is told while the run goes on: each as one line, with its line feed. */
  readonly stream?: LineReporter;
  /** For a format whose readers have exit codes of their own. */
  readonly convention?: Convention;
}

export interface LineReporter {
  start(head: ReportHead): string;
  check(check: ReportCheck): string;
  row(row: ReportRow): string;
  end(tail: ReportTail): string;
}

export interface Convention {
  exitCode(report: Report): number;
  /** When there is no report: what went wrong, as the format says it on standard output, and the exit code with it. */
  trouble(text: string): string;
  readonly troubleCode: number;
}

/** How far a run is. */
export interface Progress {
  /** Of the plan's checks. */
  readonly done: number;
  readonly total: number;
  readonly failing: number;
  readonly inFlight: number;
}

export interface RenderOptions {
  readonly color: boolean;
  readonly width: number;
  readonly verbose: boolean;
  readonly quiet: boolean;
}
