/** What is told to whoever is told: `xenreach.event/1`. The schema is the type. */
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { causeKinds } from '../model/report.ts';
import { rowVerdicts } from '../model/verdict.ts';
import type { News } from './incidents.ts';

const Text = v.string();
const Verdict = v.picklist(rowVerdicts);

const eventSchema = 'xenreach.event/1';
export const eventTypes = ['opened', 'changed', 'closed', 'flapping', 'stale', 'test'] as const;
export type EventType = (typeof eventTypes)[number];

export const EventShape = v.object({
  schema: v.literal(eventSchema),
  /** Sorts by time. */
  id: Text,
  type: v.picklist(eventTypes),
  /** What happened to one incident has one of these; null for a test. */
  incident: v.nullable(Text),
  site: Text,
  vantage: Text,
  cause: v.object({ kind: v.picklist(causeKinds), text: Text, remedy: v.nullable(Text) }),
  /** When the incident began. */
  since: Text,
  at: Text,
  rows: v.array(
    v.object({
      id: Text,
      was: v.nullable(Verdict),
      now: Verdict,
      because: v.nullable(Text),
      remedy: v.nullable(Text),
    }),
  ),
  /** Its page; null where nobody said how the pages are reached. */
  link: v.nullable(Text),
});
export type Event = v.InferOutput<typeof EventShape>;

export interface EventContext {
  readonly site: string;
  readonly vantage: string;
  readonly at: number;
  readonly link: (incident: string) => string | null;
}

export function eventOf({ type, incident, rows }: News, { site, vantage, at, link }: EventContext): Event {
  const { kind, text, remedy, since } = incident;
  return {
    schema: eventSchema,
    id: ulid(at),
    type,
    incident: incident.id,
    site,
    vantage,
    cause: { kind, text, remedy },
    since: new Date(since).toISOString(),
    at: new Date(at).toISOString(),
    rows: rows.map((row) => ({ ...row })),
    link: link(incident.id),
  };
}

/** A vantage that has not sent a report for too long. */
export function staleEvent(lastAt: number, { site, vantage, at }: EventContext): Event {
  const last = new Date(lastAt).toISOString();
  const text = `no report from ${vantage} since ${last}`;
  const remedy = 'Look whether it still runs there, and whether its reports get here.';
  const cause = { kind: 'vantage', text, remedy } as const;
  return { ...bare(at), type: 'stale', site, vantage, cause, since: last };
}

export function testEvent(site: string, vantage: string, at: number): Event {
  const text = 'a test: nothing is wrong, and nothing is to be done';
  const cause = { kind: 'row', text, remedy: null } as const;
  return { ...bare(at), type: 'test', site, vantage, cause, since: new Date(at).toISOString() };
}

const bare = (at: number): Pick<Event, 'schema' | 'id' | 'incident' | 'at' | 'rows' | 'link'> => ({
  schema: eventSchema,
  id: ulid(at),
  incident: null,
  at: new Date(at).toISOString(),
  rows: [],
  link: null,
});

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 48 bits of time, 80 of chance, in 26 letters that sort by time. */
export function ulid(at: number, random: Uint8Array = randomBytes(10)): string {
  let bits = BigInt(Math.max(0, Math.floor(at)));
  for (const byte of random) bits = (bits << 8n) | BigInt(byte);
  return Array.from({ length: 26 }, (_, i) => crockford[Number((bits >> BigInt(5 * (25 - i))) & 31n)]).join('');
}

const titles: Readonly<Record<EventType, string>> = {
  opened: 'FAIL',
  changed: 'FAIL, changed',
  closed: 'OK again',
  flapping: 'FLAPPING',
  stale: 'STALE',
  test: 'TEST',
};

/** "FAIL lon-pool-1: 10.20.40.50 is silent (9 rows)" */
export function titleOf({ type, site, cause, rows }: Event): string {
  const count = rows.length > 1 ? ` (${rows.length} rows)` : rows.length === 1 ? ` (${rows[0]!.id})` : '';
  return `${titles[type]} ${site}: ${cause.text}${count}`;
}

/** For a person, in lines. */
export function textOf(event: Event): string {
  const { cause, rows, since, at, vantage, link } = event;
  return [
    titleOf(event),
    '',
    `Seen from ${vantage}, since ${since}${at === since ? '' : `, told ${at}`}.`,
    ...(cause.remedy === null || event.type === 'closed' ? [] : [`Do: ${cause.remedy}`]),
    ...(rows.length === 0
      ? []
      : [
          '',
          ...rows.map(
            ({ id, was, now, because }) =>
              `  ${id}: ${was ?? 'unknown'} -> ${now}${because === null ? '' : `: ${because}`}`,
          ),
        ]),
    ...(link === null ? [] : ['', link]),
    '',
  ].join('\n');
}
