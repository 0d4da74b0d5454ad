/** What is watched, from where, and what a report of it brings: the nouns of the watch. */
import type { Prepared } from '../check/check.ts';
import type { CheckSettings } from '../check/settings.ts';
import type { Report, ReportCheck } from '../model/report.ts';
import type { Site, Vantage } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { State } from './incidents.ts';
import type { WatchConfig } from './load-config.ts';

/** What is watched: made anew when the files are read again. */
export interface Subject {
  readonly config: WatchConfig;
  readonly spec: LoadedSpec;
  readonly site: Site;
  readonly vantage: Vantage;
  readonly settings: CheckSettings;
  /** Its hosts are found; asked again now and then, since what DNS says may change. Null: this process checks nothing itself. */
  readonly prepare: ((signal: AbortSignal) => Promise<Prepared>) | null;
}

/** What one says of itself between its reports. */
export interface Presence {
  /** When it was heard of last, by our clock. */
  readonly at: number;
  /** So long until it is to be heard of again, and between two of its runs. */
  readonly nextMs: number;
  readonly everyMs: number;
  /** Its clock against ours; positive: it is ahead. */
  readonly skewMs: number;
  /** The revision of its site that it follows, and why it follows no later one. */
  readonly revision: number;
  readonly refused: string | null;
}

/** One who looks at a site: this process, or somewhere whose reports come in. */
export interface Viewpoint {
  readonly site: string;
  readonly vantage: string;
  readonly isOwn: boolean;
  /** Its number in the history; 0 where there is none. */
  id: number;
  /** When its last report was made. */
  last: number;
  state: State;
  /** Ids of open incidents that nobody was told of. */
  untold: readonly string[];
  report: Report | null;
  isStale: boolean;
  /** Null where it only sends reports. */
  presence: Presence | null;
}

export interface Ingested {
  readonly report: Report;
  /** The rows and checks that it has news of. */
  readonly rows: ReadonlySet<string>;
  readonly checks: readonly ReportCheck[];
  readonly at: number;
  /** Of a report from elsewhere, which counts once. */
  readonly digest: string | null;
  /** After so long without a look a row's time is no longer the same span. */
  readonly patienceMs: (row: string) => number;
  /** It is sent again until it is kept: where the disk does not take it, nothing has happened. */
  readonly mustBeKept?: true;
}
