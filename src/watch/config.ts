/** The file of `xenreach watch`: the schema is the type. What it says is held against site and spec in load-config.ts. */
import * as v from 'valibot';
import { parseDuration } from '../model/duration.ts';
import { Id, Text } from '../model/spec.ts';

const dayMs = 86_400_000;

const duration = (leastMs: number, mostMs: number, words: string) =>
  v.pipe(
    v.union([v.string(), v.number()]),
    v.transform((written) => parseDuration(String(written))),
    v.check((ms) => ms >= leastMs && ms <= mostMs),
    v.description(words),
  );

const Interval = duration(5000, 7 * dayMs, 'an interval from 5s to 7d, like 5m');
const Url = v.pipe(
  v.string(),
  v.check((text) => /^https?:\/\/[^/@\s]+(?:\/\S*)?$/.test(text) && URL.canParse(text)),
  v.description('a URL like https://host/path, without a password'),
);
const SmtpUrl = v.pipe(
  v.string(),
  v.check((text) => /^smtps?:\/\/[^/@\s]+\/?$/.test(text) && URL.canParse(text)),
  v.description('smtp://HOST:PORT or smtps://HOST:PORT, without a password'),
);
const MailAddress = v.pipe(
  v.string(),
  v.regex(/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/),
  v.maxLength(254),
  v.description('a mail address'),
);
const Listen = v.pipe(
  v.string(),
  v.regex(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):\d{1,5}$/),
  v.description('ADDRESS:PORT, like 127.0.0.1:9660'),
);

const Webhook = v.strictObject({ webhook: Url, secretFile: Text });
const Alertmanager = v.strictObject({
  alertmanager: v.pipe(v.array(Url), v.nonEmpty()),
  /** Sent as a bearer token. */
  tokenFile: v.optional(Text),
});
const Email = v.strictObject({
  email: v.strictObject({
    to: v.pipe(v.array(MailAddress), v.nonEmpty()),
    from: MailAddress,
    smtp: SmtpUrl,
    username: v.optional(Text),
    passwordFile: v.optional(Text),
  }),
});

export const WatchFile = v.strictObject({
  /** The site file; without it the site that `check` would take. */
  site: v.optional(Text),
  every: v.optional(Interval, '5m'),
  /** By the id of a row. */
  rows: v.optional(v.record(Id, Interval), {}),
  /** By the name of a section. */
  sections: v.optional(v.record(Id, Interval), {}),
  confirm: v.optional(
    v.strictObject({
      /** So many agreeing runs make a worse verdict believed. */
      runs: v.optional(
        v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(20), v.description('a whole number from 1 to 20')),
        3,
      ),
      /** How soon the rows in doubt are looked at again. */
      recheck: v.optional(duration(1000, dayMs, 'a time from 1s to 24h, like 20s'), '20s'),
    }),
    {},
  ),
  /** Nobody is told of these rows while it lasts; they are checked all the same. */
  maintenance: v.optional(
    v.array(
      v.strictObject({
        cron: Text,
        for: duration(60_000, 7 * dayMs, 'a time from 1m to 7d, like 2h'),
        rows: v.optional(v.pipe(v.array(Id), v.nonEmpty())),
        /** Of the cron line, like Europe/Berlin; without it this machine's. */
        zone: v.optional(Text),
      }),
    ),
    [],
  ),
  listen: v.optional(Listen, '127.0.0.1:9660'),
  auth: v.optional(v.strictObject({ username: Text, passwordFile: Text })),
  tls: v.optional(v.strictObject({ cert: Text, key: Text })),
  /** A reverse proxy in front does authentication and TLS. */
  behindProxy: v.optional(v.boolean(), false),
  /** How others reach the pages: what links in notices begin with. */
  url: v.optional(Url),
  history: v.optional(
    v.strictObject({
      file: v.optional(Text),
      keep: v.optional(duration(dayMs, 4000 * dayMs, 'a time from 1d to 4000d, like 400d'), '400d'),
    }),
    {},
  ),
  /** Reports from elsewhere. */
  inbox: v.optional(
    v.strictObject({
      folder: v.optional(Text),
      /** A file of lines SITE TOKEN. */
      tokens: v.optional(Text),
      /** After so long without a report a vantage is told to be stale. */
      stale: v.optional(duration(60_000, 30 * dayMs, 'a time from 1m to 30d, like 1h'), '1h'),
    }),
  ),
  notify: v.optional(v.array(v.union([Webhook, Alertmanager, Email])), []),
  metrics: v.optional(v.strictObject({ endpoints: v.optional(v.boolean(), false) }), {}),
});
export type WatchFile = v.InferOutput<typeof WatchFile>;
export type NotifyEntry = WatchFile['notify'][number];
