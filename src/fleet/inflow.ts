/**
 * From a message of the bus to the watch's intake. The server says who sent it, by its subject; all else is hostile until it is
 * read. It is acknowledged when the history has it, and not before.
 */
import { gunzipSync } from 'node:zlib';
import { parseReport } from '../load/report.ts';
import { UsageError } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import { maxReportBytes, shapeFaultOf } from '../watch/inbox.ts';
import type { Watch } from '../watch/watch.ts';
import type { Message } from './bus.ts';
import { newsIn, readHeartbeat } from './heartbeat.ts';
import { placeOf, type Place } from './layout.ts';

export type Settled =
  | { readonly kind: 'taken' | 'known' }
  /** Not kept: again, after a while. */
  | { readonly kind: 'later' }
  /** It will never do. */
  | { readonly kind: 'rejected'; readonly why: string }
  /** It says that nothing changed since a report that is not here. */
  | { readonly kind: 'unknown'; readonly place: Place };

const weekMs = 7 * 86_400_000;
const id = /^[0-9A-Z]{26}$/;

export type RunMessage = Pick<Message, 'subject' | 'data' | 'at' | 'header'>;

export function takeRun(watch: Watch, message: RunMessage): Settled {
  const place = placeOf(message.subject);
  const run = message.header('Nats-Msg-Id');
  if (!place) return rejected('its subject is of no agent');
  if (!id.test(run)) return rejected('it has no id of a run');
  const kind = message.header('Xr-Kind');
  if (kind !== 'full' && kind !== 'beat') return rejected('it is neither a report nor says that nothing changed');
  const known = watch.viewpoints().find((each) => each.site === place.site && each.vantage === place.agent);
  const before = known?.report ?? null;
  let report = before;
  if (kind === 'full') {
    const read = reportOf(message.data, place);
    if (typeof read === 'string') return rejected(read);
    report = read;
  } else {
    const fault = beatFault(message.data, place, run);
    if (fault !== null) return rejected(fault);
  }
  const rows = report && newsIn(message.header('Xr-Verdicts'), report.rows);
  if (kind === 'full' && !rows) return rejected('its verdicts are not those of its rows');
  if (!report || !rows) return { kind: 'unknown', place };
  // The server dates it, and the agent says how long it lay there: its own clock does not matter.
  const at = Math.max(message.at - within(message.header('Xr-Age-Ms'), weekMs), (known?.last ?? 0) + 1);
  const everyMs = within(message.header('Xr-Every'), weekMs / 1000) * 1000;
  const checks = kind === 'full' ? report.checks.filter((check) => check.rows.some((row) => rows.has(row))) : [];
  const patienceMs = (): number => 2 * everyMs + 60_000;
  const digest = `${place.site}/${place.agent}/${run}`;
  const outcome = watch.ingest(place.site, { report, rows, checks, at, digest, patienceMs, mustBeKept: true });
  if (outcome === 'full') return rejected('as many agents as are remembered send already');
  if (outcome === 'not kept') return { kind: 'later' };
  return { kind: outcome === 'taken' ? 'taken' : 'known' };
}

const rejected = (why: string): Settled => ({ kind: 'rejected', why });

const within = (text: string, most: number): number => {
  const value = Number(text);
  return Number.isFinite(value) ? Math.min(most, Math.max(0, value)) : 0;
};

function reportOf(data: Uint8Array, { site, agent }: Place): Report | string {
  let report: Report;
  try {
    report = parseReport(gunzipSync(data, { maxOutputLength: maxReportBytes }), 'the report');
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    return `it cannot be unpacked, or has more than ${maxReportBytes / 1024 / 1024} MiB`;
  }
  if (report.site.name !== site) return `it is of the site ${report.site.name}`;
  if (report.vantage.hostname !== agent) return `it is of ${report.vantage.hostname}`;
  return shapeFaultOf(report) ?? report;
}

function beatFault(data: Uint8Array, { site, agent }: Place, run: string): string | null {
  const beat = readHeartbeat(data);
  if (!beat) return 'it is no heartbeat';
  if (beat.site !== site || beat.vantage !== agent) return `it is of ${beat.site} ${beat.vantage}`;
  return beat.run === run ? null : 'it is of another run';
}

/** A sign of life. False where it is none. */
export function takeSign(watch: Watch, { subject, data, at }: RunMessage): boolean {
  const place = placeOf(subject);
  const beat = readHeartbeat(data);
  if (!place || !beat || beat.site !== place.site || beat.vantage !== place.agent) return false;
  return watch.heard(place.site, place.agent, {
    at,
    nextMs: beat.next * 1000,
    everyMs: beat.every * 1000,
    skewMs: Date.parse(beat.at) - at,
    revision: beat.revision,
    refused: beat.refused,
  });
}
