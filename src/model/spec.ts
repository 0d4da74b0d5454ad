/** The requirement tables: what a `specs/*.yaml` file may say. The schema is the type. */
import * as v from 'valibot';

/** What may stand in `options` for something that only the site knows: "$domain". The plan fills it in. */
export const templates = ['domain', 'realm', 'ad-srv', 'dns-query', 'dns-type', 'pool-certificates'] as const;

// The descriptions are what an error says is expected, and what an editor shows by the JSON Schema.
export const Port = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(65_535),
  v.description('a port from 1 to 65535'),
);

/** 443, "6910-6930", or "dynamic" (the probe finds the ports out by asking). */
const PortEntry = v.union([
  Port,
  v.pipe(v.string(), v.regex(/^\d{1,5}-\d{1,5}$/), v.description('a range FROM-TO')),
  v.literal('dynamic'),
]);

export const Id = v.pipe(
  v.string(),
  v.maxLength(64),
  v.regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
  v.description('lower-case words joined by hyphens'),
);
export const Text = v.pipe(v.string(), v.nonEmpty(), v.description('text'));
export const Fact = v.union([v.string(), v.number(), v.boolean()]);
const Facts = v.record(Id, Fact);

/** How much it hurts when the need does not hold: `advisory` never makes its row worse than `pass`. */
export const Level = v.picklist(['required', 'advisory']);
export type Level = v.InferOutput<typeof Level>;

/** `open`: the service must answer. `path`: a refusal is as good. `shut`: an answer is the failure. */
export const Expect = v.picklist(['open', 'path', 'shut']);
export type Expect = v.InferOutput<typeof Expect>;

export const Need = v.strictObject({
  /** The exported name of a probe. */
  probe: Id,
  /** Only for a probe that speaks both. */
  transport: v.optional(v.picklist(['tcp', 'udp'])),
  /** Absent means the probe's own port. */
  ports: v.optional(v.pipe(v.array(PortEntry), v.nonEmpty())),
  level: v.optional(Level, 'required'),
  expect: v.optional(Expect, 'open'),
  /** The need applies when every fact named here has this value at the site. */
  when: v.optional(Facts, {}),
  /** The probe's options. A value "$domain" is taken from the site; the option is left out when the site does not know it. */
  options: v.optional(v.record(v.string(), v.unknown()), {}),
  /** What people call that which is to listen there. Absent: as the probe calls it. */
  service: v.optional(Text),
  /** Why the page's words and this need differ. */
  note: v.optional(Text),
});
export type Need = v.InferOutput<typeof Need>;

/** One row of the page: who must reach whom, with what, and how much it matters. */
export const Requirement = v.strictObject({
  /** Stable for ever: it is the key in every report and every metric label. */
  id: Id,
  section: Id,
  source: v.strictObject({ table: Text, row: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
  from: Id,
  to: Id,
  /** In our own words. */
  purpose: Text,
  /** The row names its destinations itself: the vendor's domains. */
  hosts: v.optional(v.pipe(v.array(Text), v.nonEmpty())),
  /** These names stand for a whole domain; the site's `names` may choose others under this key. */
  sample: v.optional(Text),
  /** Only hosts of the role with this property: `{ console: vnc }`. A host that does not say is taken for both. */
  where: v.optional(v.record(v.string(), v.string()), {}),
  /** Only those of the role's hosts that a domain itself tells apart; all of them where it does not. */
  among: v.optional(v.picklist(['global-catalogs'])),
  when: v.optional(Facts, {}),
  needs: v.pipe(v.array(Need), v.nonEmpty()),
  note: v.optional(Text),
});
export type Requirement = v.InferOutput<typeof Requirement>;

const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/), v.description('64 hex digits'));

export const Spec = v.strictObject({
  id: Id,
  title: Text,
  /** Which edition of this table. */
  revision: Text,
  source: v.strictObject({ title: Text, product: Text, sha256: Sha256 }),
  sections: v.record(Id, Text),
  /**
   * Every role a row may name, and what it is. `active-directory`: a site may give a domain, whose controllers are found by
   * DNS. `row-names`: the rows name their hosts themselves. `site-names`: the hosts are all the names in the site.
   */
  roles: v.record(
    Id,
    v.strictObject({
      title: Text,
      discovery: v.optional(v.picklist(['active-directory', 'site-names', 'row-names'])),
      /** The role whose machines these are, by other addresses: one of them may be the machine that checks. */
      machines: v.optional(Id),
    }),
  ),
  /** The source role that a machine plays when neither site nor user says. Absent: that of the first row. */
  vantage: v.optional(Id),
  /** What a row may want of a host of its role (`where`), and the values of each. */
  hostProperties: v.optional(v.record(Id, v.pipe(v.array(Text), v.nonEmpty())), {}),
  /** What a site may say about itself, and what holds when it does not. */
  facts: v.record(Id, v.strictObject({ title: Text, default: Fact })),
  rows: v.pipe(v.array(Requirement), v.nonEmpty()),
});
export type Spec = v.InferOutput<typeof Spec>;

/** A spec as loaded: with the hash of its bytes, so that a report says what it was judged by. */
export interface LoadedSpec extends Spec {
  readonly sha256: string;
}
