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
  readonly report: Report;
  readonly own: Viewpoint;
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
    (metric) => metric.name !== 'xenreach_row_verdict' && (hasEndpoints || !isPerCheck(metric)),
  );
  const lines = [...ofReport, ...ofWatch(view)].flatMap((metric) => family(metric, report, isOpenMetrics));
  return `${lines.join('\n')}\n${isOpenMetrics ? '# EOF\n' : ''}`;
}

/** A row whose verdict nobody believes yet has the one that was seen. */
function ofWatch({ report, own, others, status, failed }: MetricsView): Metric[] {
  const rows = report.rows.flatMap(({ id, section, from, to, verdict }) => {
    const state = own.state.rows[id];
    const believed = state?.believed ?? verdict;
    return believed === null ? [] : [{ labels: { row: id, section, from, to }, believed, state }];
  });
  const gauge = (name: string, help: string, samples: readonly Sample[]): Metric => ({
    name,
    help,
    samples: () => [...samples],
  });
  const counter = (name: string, help: string, samples: readonly Sample[]): Metric => ({
    ...gauge(name, help, samples),
    type: 'counter',
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
      [own, ...others].flatMap(({ site, vantage, last }) =>
        last > 0 ? [{ labels: { site, vantage }, value: last / 1000 }] : [],
      ),
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
