/**
 * What `/metrics` says: the gauges of a report, with what is believed of each row as a set of states, and what the watch
 * knows of itself. Every state of every row is there at all times, so that no series comes and goes.
 */
import { family, metrics, type Metric, type Sample } from '../report/prometheus.ts';
import type { Report } from '../model/report.ts';
import { rowVerdicts } from '../model/verdict.ts';
import type { Viewpoint } from './viewpoint.ts';
import type { WatchStatus } from './watch.ts';

export interface MetricsView {
  /** This process's own; of one that checks nothing itself any at all, and then nothing is told of it. */
  readonly report: Report;
  /** Null where this process checks nothing itself. */
  readonly own: Viewpoint | null;
  readonly others: readonly Viewpoint[];
  readonly status: WatchStatus;
  /** By notifier. */
  readonly failed: ReadonlyMap<string, number>;
  readonly hasEndpoints: boolean;
  readonly isOpenMetrics: boolean;
}

export const contentTypes = {
  classic: 'text/plain; version=0.0.4; charset=utf-8',
  open: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const;

export function metricsText(view: MetricsView): string {
  const { report, hasEndpoints, isOpenMetrics } = view;
  // Of an endpoint each: thousands at a large site.
  const isPerCheck = ({ samples }: Metric): boolean => samples(report).some(({ labels }) => 'check' in labels);
  const ofReport = metrics.filter(
    (metric) => view.own !== null && metric.name !== 'xenreach_row_verdict' && (hasEndpoints || !isPerCheck(metric)),
  );
  const lines = [...ofReport, ...ofOwn(view), ...ofWatch(view)].flatMap((metric) =>
    family(metric, report, isOpenMetrics),
  );
  return `${lines.join('\n')}\n${isOpenMetrics ? '# EOF\n' : ''}`;
}

const gauge = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  name,
  help,
  samples: () => [...samples],
});
const counter = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  ...gauge(name, help, samples),
  type: 'counter',
});

/** A row whose verdict nobody believes yet has the one that was seen. */
function ofOwn({ report, own }: MetricsView): Metric[] {
  if (!own) return [];
  const rows = report.rows.flatMap(({ id, section, from, to, verdict }) => {
    const state = own.state.rows[id];
    const believed = state?.believed ?? verdict;
    return believed === null ? [] : [{ labels: { row: id, section, from, to }, believed, state }];
  });
  return [
    gauge(
      'xenreach_row_verdict',
      'What is believed of a requirement row: 1 for its verdict, 0 for the others.',
      rows.flatMap(({ labels, believed }) =>
        rowVerdicts.map((verdict) => ({ labels: { ...labels, verdict }, value: verdict === believed ? 1 : 0 })),
      ),
    ),
    gauge(
      'xenreach_row_since_timestamp_seconds',
      'Since when that is believed, in seconds since 1970.',
      rows.flatMap(({ labels: { row }, state }) =>
        state && state.since > 0 ? [{ labels: { row }, value: state.since / 1000 }] : [],
      ),
    ),
    gauge(
      'xenreach_row_flapping',
      'Whether the verdict of the row comes and goes.',
      rows.map(({ labels: { row }, state }) => ({ labels: { row }, value: state?.isFlapping === true ? 1 : 0 })),
    ),
    gauge(
      'xenreach_incident_open',
      'Open incidents by their cause.',
      own.state.incidents.map(({ id, kind, rows: members }) => ({
        labels: { incident: id, cause: kind },
        value: members.length,
      })),
    ),
    gauge('xenreach_incidents', 'How many incidents are open.', single(own.state.incidents.length)),
  ];
}

function ofWatch({ own, others, status, failed }: MetricsView): Metric[] {
  const present = others.flatMap((each) => (each.presence ? [{ ...each, presence: each.presence }] : []));
  return [
    counter(
      'xenreach_rounds_skipped_total',
      'Rounds that did not take place because another took too long.',
      single(status.skipped),
    ),
    counter(
      'xenreach_gap_seconds_total',
      'Time that nobody watched, since the start: suspended, or not running.',
      single(status.gapMs / 1000),
    ),
    counter(
      'xenreach_rejected_total',
      'What came in from elsewhere and was no good, since the start.',
      single(status.rejected),
    ),
    counter(
      'xenreach_notify_failed_total',
      'Notices that could not be sent; each is sent again.',
      [...failed].map(([notifier, value]) => ({ labels: { notifier }, value })),
    ),
    gauge(
      'xenreach_watch_trouble',
      'What is wrong with the watch itself: history, notices, files.',
      single(status.troubles.length),
    ),
    gauge(
      'xenreach_vantage_last_report_timestamp_seconds',
      'When a vantage was heard of last.',
      [...(own ? [own] : []), ...others].flatMap(({ site, vantage, last }) =>
        last > 0 ? [{ labels: { site, vantage }, value: last / 1000 }] : [],
      ),
    ),
    gauge(
      'xenreach_vantage_stale',
      'Whether an agent is silent for longer than twice the time in which it wanted to be heard of.',
      present.map(({ site, vantage, isStale }) => ({ labels: { site, vantage }, value: isStale ? 1 : 0 })),
    ),
    gauge(
      'xenreach_vantage_clock_skew_seconds',
      'How far the clock of an agent is ahead of the clock of the hub.',
      present.map(({ site, vantage, presence }) => ({ labels: { site, vantage }, value: presence.skewMs / 1000 })),
    ),
    gauge(
      'xenreach_vantage_revision',
      'The revision of its site that an agent follows.',
      present.map(({ site, vantage, presence }) => ({ labels: { site, vantage }, value: presence.revision })),
    ),
    gauge(
      'xenreach_vantage_rows',
      'Rows of a vantage by what is believed of them.',
      others.flatMap(({ site, vantage, state }) =>
        rowVerdicts.map((verdict) => ({
          labels: { site, vantage, verdict },
          value: Object.values(state.rows).filter((row) => (row.believed ?? row.seen) === verdict).length,
        })),
      ),
    ),
  ];
}

const single = (value: number): Sample[] => [{ labels: {}, value }];
