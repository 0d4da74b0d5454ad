/**
 * Alertmanager, by version 2 of its interface. It forgets an alert that nobody sends again, so all that is open is sent every
 * minute with an end five minutes ahead; what is closed is sent with its real end, for as long again.
 */
import { post } from '../../net/post.ts';
import type { Event } from '../event.ts';
import type { Incident } from '../incidents.ts';

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

export const resendMs = 60_000;
export const aheadMs = 5 * resendMs;

export interface Told {
  readonly site: string;
  readonly vantage: string;
  readonly incident: Pick<Incident, 'id' | 'kind' | 'text' | 'remedy' | 'since' | 'rows' | 'isFlapping'>;
  /** Null while it is open. */
  readonly until: number | null;
  readonly link: string | null;
}

/** The labels are the incident's own, so that it stays one alert while its rows come and go. */
export const alertOf = ({ site, vantage, incident, until, link }: Told, at: number): Alert => ({
  labels: {
    alertname: 'XenreachIncident',
    site,
    vantage,
    cause: incident.kind,
    incident: incident.id,
    severity: incident.kind === 'vantage' ? 'warning' : 'critical',
  },
  annotations: {
    summary: incident.text,
    description: incident.remedy ?? '',
    rows: incident.rows.join(', '),
    flapping: String(incident.isFlapping),
  },
  startsAt: new Date(incident.since).toISOString(),
  endsAt: new Date(until ?? at + aheadMs).toISOString(),
  ...(link !== null && { generatorURL: link }),
});

/** What is no incident: a stale vantage, a test. */
export const alertOfEvent = ({ type, site, vantage, cause, since }: Event, at: number): Alert => ({
  labels: {
    alertname: type === 'stale' ? 'XenreachStale' : 'XenreachTest',
    site,
    vantage,
    severity: type === 'stale' ? 'warning' : 'none',
  },
  annotations: { summary: cause.text, description: cause.remedy ?? '' },
  startsAt: new Date(Math.min(Date.parse(since), at)).toISOString(),
  endsAt: new Date(at + (type === 'stale' ? aheadMs : resendMs)).toISOString(),
});

/** To each of them: they are a cluster, and whoever is down hears it from the others or the next time. Throws when none took it. */
export async function sendAlerts(
  urls: readonly string[],
  token: string | null,
  alerts: readonly Alert[],
  timeoutMs: number,
): Promise<void> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const sent = urls.map(async (url) => {
    const { status, text } = await post(
      `${url.replace(/\/$/, '')}/api/v2/alerts`,
      JSON.stringify(alerts),
      headers,
      timeoutMs,
    );
    if (status < 200 || status > 299)
      throw new Error(`it answers with status ${status} ${text.slice(0, 100)}`.trimEnd());
  });
  const results = await Promise.allSettled(sent);
  const failed = results.flatMap((result, i) =>
    result.status === 'rejected' ? [`${urls[i]}: ${result.reason instanceof Error ? result.reason.message : ''}`] : [],
  );
  if (failed.length === urls.length) throw new Error(failed.join('; '));
}
