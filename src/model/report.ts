/** The whole run as one JSON value, `xenreach.report/1`: the input of every reporter and the contract with the outside. */
import type { Evidence, Hint, Outcome, Stage } from './outcome.ts';
import type { SkipReason } from './plan.ts';
import type { Transport } from './probe.ts';
import type { CheckVerdict, Mode, RowVerdict } from './verdict.ts';

export interface ReportRow {
  readonly id: string;
  readonly section: string;
  readonly from: string;
  readonly to: string;
  readonly transports: readonly Transport[];
  readonly ports: string;
  readonly purpose: string;
  readonly verdict: RowVerdict | null;
  readonly because: string | null;
  readonly remedy: string | null;
  readonly skip: SkipReason | null;
  readonly notes: readonly string[];
  readonly checks: readonly string[];
}

/** In a plan everything that only a run can know is null. */
export interface ReportCheck {
  readonly id: string;
  readonly rows: readonly string[];
  readonly probe: string;
  readonly transport: Transport;
  readonly host: string;
  readonly address: string | null;
  readonly port: number;
  /** The name itself was the target: nothing was sent to it. */
  readonly isName: boolean;
  readonly outcome: Outcome | null;
  readonly stage: Stage | null;
  readonly hint: Hint | null;
  readonly code: string | null;
  readonly detail: string | null;
  readonly remedy: string | null;
  readonly verdict: CheckVerdict | null;
  readonly advisory: boolean;
  readonly attempts: number;
  readonly startedAt: string | null;
  readonly durationMs: number | null;
  readonly evidence: Evidence;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

export interface Summary {
  readonly verdict: CheckVerdict | null;
  readonly pass: number;
  readonly warn: number;
  readonly fail: number;
  readonly unverified: number;
  readonly skipped: number;
  readonly checks: number;
}

export interface Stats {
  readonly maxInFlight: number;
  readonly connects: number;
  readonly datagrams: number;
  readonly peakRssMiB: number;
}

/** What fails together, from this machine outwards. */
export const causeKinds = ['vantage', 'resolver', 'proxy', 'host', 'row'] as const;
export type CauseKind = (typeof causeKinds)[number];

/** One thing to mend, and what fails for it. */
export interface Cause {
  readonly kind: CauseKind;
  readonly text: string;
  /** Row ids, in the order of the report. */
  readonly rows: readonly string[];
  /** Check ids. */
  readonly checks: readonly string[];
  readonly remedy: string | null;
}

/** Known before the first packet: the `start` line of the ndjson stream. */
export interface ReportHead {
  readonly schema: 'xenreach.report/1';
  readonly tool: { readonly name: 'xenreach'; readonly version: string };
  readonly spec: { readonly id: string; readonly revision: string; readonly sha256: string; readonly rows: number };
  readonly site: { readonly name: string; readonly origin: 'file' | 'discovered' | 'embedded' };
  readonly vantage: {
    readonly roles: readonly string[];
    readonly hostname: string;
    readonly addresses: readonly string[];
  };
  readonly mode: Mode;
  readonly startedAt: string;
}

/** Known after the last one: the `end` line. */
export interface ReportTail {
  readonly durationMs: number | null;
  readonly complete: boolean;
  readonly exitCode: number | null;
  readonly summary: Summary;
  readonly stats: Stats;
}

/** A file that the command line or the site names. */
export interface InputFile {
  readonly as: 'site' | 'spec' | 'trust' | 'ca' | 'proxy.passwordFile';
  readonly path: string;
  /** Why `check` would not take it. */
  readonly note: string | null;
}

export interface Inputs {
  readonly files: readonly InputFile[];
  readonly proxy: { readonly host: string; readonly port: number; readonly username: string | null } | null;
}

export interface Report extends ReportHead, ReportTail {
  readonly sections: Readonly<Record<string, string>>;
  /** Worst first; a row may have several. */
  readonly causes: readonly Cause[];
  readonly rows: readonly ReportRow[];
  readonly checks: readonly ReportCheck[];
  /** In a plan: what a run would read and spend. */
  readonly inputs?: Inputs;
}

/** A reporter turns a report into text. It decides nothing and writes nowhere. */
export interface Reporter {
  readonly about: string;
  render(report: Report, options: RenderOptions): string;
}

export interface RenderOptions {
  readonly color: boolean;
  readonly width: number;
  readonly verbose: boolean;
  readonly quiet: boolean;
}
