/**
 * For node_exporter's textfile collector: gauges of the last run. A row's verdict and a check's outcome are labels of a
 * series with the value 1, so that an alert can name what is wrong; the words of both are closed lists.
 */
import { vantageOf } from '../model/merged.ts';
import type { Json } from '../model/outcome.ts';
import { probes } from '../check/registry.ts';
import type { Metric as ProbeMetric } from '../model/probe.ts';
import type { Report, ReportCheck, Reporter } from '../model/report.ts';
import { rowVerdicts } from '../model/verdict.ts';
import { label } from './escape.ts';
import { isPlan } from './phrases.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  /** @default 'gauge' */
  readonly type?: 'gauge' | 'counter';
  readonly samples: (report: Report) => Sample[];
}

export const metrics: readonly Metric[] = [
  {
    name: 'xenreach_info',
    help: 'What was checked, by which version, from where.',
    samples: ({ tool, spec, site, vantage, mode }) => [
      {
        labels: {
          version: tool.version,
          spec: spec.id,
          revision: spec.revision,
          site: site.name,
          roles: vantage.roles.join(','),
          hostname: vantage.hostname,
          mode,
        },
        value: 1,
      },
    ],
  },
  {
    name: 'xenreach_row_verdict',
    help: 'The verdict of a requirement row, as a label: pass, warn, fail, unverified or skipped.',
    samples: ({ rows }) =>
      rows.flatMap(({ id, section, from, to, verdict, skip }) => {
        const shown = verdict ?? (skip === null ? null : 'skipped');
        return shown === null ? [] : [{ labels: { row: id, section, from, to, verdict: shown }, value: 1 }];
      }),
  },
  {
    name: 'xenreach_rows',
    help: 'Requirement rows by verdict.',
    samples: (report) =>
      isPlan(report) ? [] : rowVerdicts.map((verdict) => ({ labels: { verdict }, value: report.summary[verdict] })),
  },
  {
    name: 'xenreach_check_outcome',
    help: 'What happened to a check, as a label, and how that was judged.',
    samples: (report) =>
      report.checks.flatMap((check) => {
        const { rows, outcome, stage, verdict } = check;
        if (outcome === null) return [];
        const labels = {
          ...labelsOf(report, check),
          rows: rows.join(','),
          outcome,
          stage: stage ?? '',
          verdict: verdict ?? '',
        };
        return [{ labels, value: 1 }];
      }),
  },
  {
    name: 'xenreach_check_duration_seconds',
    help: 'How long the check took, all attempts together.',
    samples: (report) =>
      report.checks.flatMap((check) =>
        check.durationMs === null ? [] : [{ labels: labelsOf(report, check), value: check.durationMs / 1000 }],
      ),
  },
  {
    name: 'xenreach_certificate_not_after_timestamp_seconds',
    help: 'When the certificate that the peer showed ends, in seconds since 1970.',
    samples: (report) =>
      report.checks.flatMap((check) =>
        certificateEnds(check).map(({ certificate, endsAtMs }) => ({
          labels: { ...labelsOf(report, check), certificate },
          value: endsAtMs / 1000,
        })),
      ),
  },
  ...Object.entries(probes).flatMap(([name, { metrics: own = [] }]) => own.map((metric) => ofProbe(name, metric))),
  {
    name: 'xenreach_source_verdict',
    help: 'In a merged report: what a vantage says of a row.',
    samples: ({ rows }) =>
      rows.flatMap(({ id, sources = [] }) =>
        sources.map(({ vantage, verdict }) => ({ labels: { row: id, vantage, verdict }, value: 1 })),
      ),
  },
  {
    name: 'xenreach_row_machines_missing',
    help: 'In a merged report: how many machines that should have checked the row were not heard.',
    samples: ({ rows }) =>
      rows.flatMap(({ id, coverage }) =>
        coverage ? [{ labels: { row: id }, value: coverage.of - coverage.have }] : [],
      ),
  },
  {
    name: 'xenreach_vantage_start_timestamp_seconds',
    help: 'In a merged report: when the run of a vantage began, in seconds since 1970.',
    samples: ({ merged = [] }) =>
      merged.map(({ vantage, startedAt }) => ({ labels: { vantage }, value: Date.parse(startedAt) / 1000 })),
  },
  {
    name: 'xenreach_run_start_timestamp_seconds',
    help: 'When the run began, in seconds since 1970.',
    samples: ({ startedAt }) => single(Date.parse(startedAt) / 1000),
  },
  {
    name: 'xenreach_run_duration_seconds',
    help: 'How long the run took.',
    samples: ({ durationMs }) => (durationMs === null ? [] : single(durationMs / 1000)),
  },
  {
    name: 'xenreach_run_complete',
    help: 'Whether every check got its outcome (1) or the run was cut short (0).',
    samples: (report) => (isPlan(report) ? [] : single(report.complete ? 1 : 0)),
  },
  {
    name: 'xenreach_run_exit_code',
    help: 'The exit code of the run: 0 good, 1 rows failed, 2 nothing was checked, 3 incomplete.',
    samples: ({ exitCode }) => (exitCode === null ? [] : single(exitCode)),
  },
];

/** A probe says itself which of its evidence is a metric. */
function ofProbe(probe: string, { name, help, evidence, perUnit }: ProbeMetric): Metric {
  const samplesOf = (report: Report, check: ReportCheck): Sample[] => {
    const value = check.evidence[evidence];
    if (check.probe !== probe || typeof value !== 'number') return [];
    return [{ labels: labelsOf(report, check), value: value / perUnit }];
  };
  return {
    name: `xenreach_${name}`,
    help,
    samples: (report) => report.checks.flatMap((check) => samplesOf(report, check)),
  };
}

export const prometheus: Reporter = {
  about: 'metrics for the textfile collector of the Prometheus node exporter',
  render: (report) => [...pieces(report)].join(''),
  pieces,
};

/** A family at a time: a check has a line in several. */
function* pieces(report: Report): Iterable<string> {
  for (const metric of metrics) {
    const lines = family(metric, report);
    if (lines.length > 0) yield `${lines.join('\n')}\n`;
  }
}

/** Its lines. OpenMetrics names a counter without the end that its series have. */
export function family(
  { name, help, type = 'gauge', samples }: Metric,
  report: Report,
  isOpenMetrics = false,
): string[] {
  // A series may be there only once; two checks may differ only in characters that a label cannot show.
  const series = new Map<string, number>();
  for (const { labels, value } of samples(report)) {
    const shown = Object.entries(labels).map(([key, text]) => `${key}="${label(text)}"`);
    const id = shown.length === 0 ? name : `${name}{${shown.join(',')}}`;
    if (Number.isFinite(value) && !series.has(id)) series.set(id, value);
  }
  if (series.size === 0) return [];
  const shown = isOpenMetrics && type === 'counter' ? name.replace(/_total$/, '') : name;
  return [`# HELP ${shown} ${help}`, `# TYPE ${shown} ${type}`, ...[...series].map(([id, value]) => `${id} ${value}`)];
}

function labelsOf({ merged }: Report, check: ReportCheck): Record<string, string> {
  const { id, probe, transport, host, address, port } = check;
  const labels = { check: id, probe, transport, host, address: address ?? '', port: `${port}` };
  return merged ? { ...labels, vantage: vantageOf(id) } : labels;
}

/** `certificate.notAfter` as one key or as nested objects, under whatever name the probe keeps that certificate. */
function certificateEnds({ evidence }: ReportCheck): { certificate: string; endsAtMs: number }[] {
  return Object.entries(evidence).flatMap(([key, value]) => {
    const nested = isObject(value) ? value['notAfter'] : undefined;
    const [certificate, end] = key.endsWith('.notAfter') ? [key.slice(0, -'.notAfter'.length), value] : [key, nested];
    const endsAtMs = typeof end === 'string' ? Date.parse(end) : Number.NaN;
    return Number.isNaN(endsAtMs) ? [] : [{ certificate, endsAtMs }];
  });
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const single = (value: number): Sample[] => [{ labels: {}, value }];
