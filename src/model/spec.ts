/** The requirement tables: what a `specs/*.yaml` file may say. The schema is the type. */
import * as v from 'valibot';

export const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

/** 443, "6910-6930", or "dynamic" (the probe finds the ports out by asking). */
export const PortEntry = v.union([
  Port,
  v.pipe(v.string(), v.regex(/^\d{1,5}-\d{1,5}$/, 'a range is written FROM-TO')),
  v.literal('dynamic'),
]);

export const Id = v.pipe(
  v.string(),
  v.maxLength(64),
  v.regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'an id is lower-case words joined by hyphens'),
);
const Text = v.pipe(v.string(), v.nonEmpty());
const Fact = v.union([v.string(), v.number(), v.boolean()]);
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
  when: v.optional(Facts, {}),
  needs: v.pipe(v.array(Need), v.nonEmpty()),
  note: v.optional(Text),
});
export type Requirement = v.InferOutput<typeof Requirement>;

export const Spec = v.strictObject({
  id: Id,
  title: Text,
  /** The date of the page. */
  revision: Text,
  source: v.strictObject({ title: Text, product: Text, sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) }),
  sections: v.record(Id, Text),
  /** Every role a row may name, and what it is. `self`: `domain` finds the hosts by DNS service records. */
  roles: v.record(
    Id,
    v.strictObject({ title: Text, discovery: v.optional(v.picklist(['active-directory', 'site-names', 'row-names'])) }),
  ),
  /** What a site may say about itself, and what holds when it does not. */
  facts: v.record(Id, v.strictObject({ title: Text, default: Fact })),
  rows: v.pipe(v.array(Requirement), v.nonEmpty()),
});
export type Spec = v.InferOutput<typeof Spec>;

/** A spec as loaded: with the hash of its bytes, so that a report says what it was judged by. */
export interface LoadedSpec extends Spec {
  readonly sha256: string;
}
