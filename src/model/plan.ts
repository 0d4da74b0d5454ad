/** What would be tried: plain JSON, so that a plan can be printed, compared, saved and replayed. */
import type { Expect, Level, Need, Requirement } from './spec.ts';
import type { Transport } from './probe.ts';

/** A row that wants this check, and how it will judge it. */
export interface Use {
  readonly row: string;
  readonly expect: Expect;
  readonly level: Level;
  /** The service answers nobody. */
  readonly oneWay: boolean;
  /** What people call that which is to listen there. */
  readonly service: string;
  /** What to write into the site file where the need does not apply after all, or null. */
  readonly unless: string | null;
  /** Why the page's words and the need differ, or null. */
  readonly note: string | null;
  /** Nobody at the site runs the destination: it is the vendor's. */
  readonly isVendors: boolean;
  /** One of several needs of which one is enough: see `Need`. */
  readonly choice?: Need['choice'];
}

/** One probe against one host and port. A name becomes one observation for each of its addresses. */
export interface Check {
  readonly id: string;
  readonly probe: string;
  readonly transport: Transport;
  /** As in the site. */
  readonly host: string;
  /** The literal, when the site gave one. */
  readonly address: string | null;
  readonly port: number;
  readonly options: Readonly<Record<string, unknown>>;
  /** Through the HTTP proxy: the name is then not resolved here. */
  readonly viaProxy: boolean;
  /** The target is the name itself: nothing is sent to it. */
  readonly isName: boolean;
  /** Over UDP: the service must answer, so that silence is a failure where the host is alive. */
  readonly isAnswerDue: boolean;
  /** This machine may be among the hosts: its own addresses are left out. */
  readonly mayBeSelf: boolean;
  readonly uses: readonly Use[];
}

export const skipReasons = ['other-vantage', 'role-is-empty', 'not-applicable', 'not-selected'] as const;
export type SkipReason = (typeof skipReasons)[number];

/** Why a row is not checked, and what to do about it: nothing is dropped in silence. */
export interface Skip {
  readonly reason: SkipReason;
  readonly because: string;
  readonly remedy: string | null;
}

export interface PlannedRow {
  readonly requirement: Requirement;
  readonly transports: readonly Transport[];
  /** As the page writes them: "80, 443", "6910-6930", "dynamic". */
  readonly ports: string;
  readonly skip: Skip | null;
  readonly checks: readonly string[];
  /** One good host is enough. */
  readonly require: 'all' | 'any';
  readonly notes: readonly string[];
  /** Where the spec is joined of several: the one that the row is from. */
  readonly catalogue?: string | undefined;
}

export interface Plan {
  readonly rows: readonly PlannedRow[];
  readonly checks: readonly Check[];
}
