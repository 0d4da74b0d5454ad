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

const needEntries = {
  /** The exported name of a probe. */
  probe: Id,
  /** Only for a probe that speaks both. */
  transport: v.optional(v.picklist(['tcp', 'udp'])),
  /** Absent means the probe's own port. */
  ports: v.optional(v.pipe(v.array(PortEntry), v.nonEmpty())),
  /** Of a long range, so many ports stand for the rest: the row says so. */
  sample: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.description('a number of ports from 1'))),
  level: v.optional(Level, 'required'),
  expect: v.optional(Expect, 'open'),
  /** The service answers nobody: that it arrives is all there is to prove, and only the other end can. */
  oneWay: v.optional(v.boolean(), false),
  /** The need applies when every fact named here has this value at the site. */
  when: v.optional(Facts, {}),
  /** How the real client goes where the site has a proxy for the row. Absent: as the probe's protocol does. */
  proxy: v.optional(v.picklist(['never', 'connect', 'absolute'])),
  /** The probe's options. A value "$domain" is taken from the site; the option is left out when the site does not know it. */
  options: v.optional(v.record(v.string(), v.unknown()), {}),
  /** What people call that which is to listen there. Absent: as the probe calls it. */
  service: v.optional(Text),
  /** Why the page's words and this need differ. */
  note: v.optional(Text),
};

const WrittenNeed = v.strictObject(needEntries);
export type WrittenNeed = v.InferOutput<typeof WrittenNeed>;
/** One of them is enough, host by host: NFS 4 or else 3. */
const Alternatives = v.strictObject({ anyOf: v.pipe(v.array(WrittenNeed), v.minLength(2)) });

/** How sure it is that this is a true requirement, with these ports and in this direction. */
export const Confidence = v.picklist(['high', 'medium', 'low']);
export type Confidence = v.InferOutput<typeof Confidence>;

/** What a row rests on: a page of the vendor's, the code of the product, or a conclusion from other rows. */
export const Basis = v.picklist(['page', 'code', 'inferred']);
export type Basis = v.InferOutput<typeof Basis>;

const SourceRow = v.strictObject({
  /** One of the spec's `sources`; absent: its own `source`. */
  of: v.optional(Id),
  table: Text,
  row: v.optional(v.union([v.pipe(v.number(), v.integer(), v.minValue(1), v.description('a row from 1')), Text])),
});

/** One row of the page: who must reach whom, with what, and how much it matters. */
const requirementEntries = {
  /** Stable for ever: it is the key in every report and every metric label. */
  id: Id,
  section: Id,
  source: SourceRow,
  confidence: v.optional(Confidence),
  basis: v.optional(Basis),
  /** Several: each of these must reach it. */
  from: v.union([Id, v.pipe(v.array(Id), v.nonEmpty())]),
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
  /** One good host is enough, whatever the site says of the role. */
  require: v.optional(v.literal('any')),
  when: v.optional(Facts, {}),
  needs: v.optional(v.pipe(v.array(v.union([WrittenNeed, Alternatives])), v.nonEmpty())),
  /** What no probe can try, instead of needs: "IP protocol 47 (GRE)". The row is told as unverified. */
  unprovable: v.optional(Text),
  note: v.optional(Text),
};

const WrittenRow = v.strictObject(requirementEntries);
export type WrittenRow = v.InferOutput<typeof WrittenRow>;

const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/), v.description('64 hex digits'));
const Day = v.pipe(v.string(), v.isoDate(), v.description('a day as YYYY-MM-DD'));

/** A page, a repository, a package: what rows can be held against. */
const Source = v.strictObject({
  title: Text,
  product: v.optional(Text),
  url: v.optional(Text),
  /** When it was read, and which edition that was. */
  retrieved: v.optional(Day),
  commit: v.optional(Text),
  /** Of its text, where all of it could be had. */
  sha256: v.optional(Sha256),
  /** Which part of it could be read, where not all could. */
  part: v.optional(Text),
});
export type Source = v.InferOutput<typeof Source>;

const specEntries = {
  id: Id,
  title: Text,
  /** Which edition of this table. */
  revision: Text,
  /** The day of this edition. */
  date: v.optional(Day),
  source: Source,
  /** Further ones, which rows name by `source.of`. */
  sources: v.optional(v.record(Id, Source), {}),
  /** The pools that it is for: the brand and the beginning of the version that they say of themselves. */
  products: v.optional(v.array(v.strictObject({ brand: Text, version: Text })), []),
  /** Of the rows that do not say it themselves. */
  confidence: v.optional(Confidence, 'high'),
  basis: v.optional(Basis, 'page'),
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
  rows: v.pipe(v.array(WrittenRow), v.nonEmpty()),
};

/** A table that stands by itself. */
export const WholeSpec = v.strictObject(specEntries);

/** A row of an extending table: another value for each key that it has, or the row less. */
const RowChange = v.strictObject({
  ...v.partial(v.strictObject(requirementEntries)).entries,
  id: Id,
  note: v.optional(v.nullable(Text)),
  remove: v.optional(v.literal(true)),
});

/** What another table says is so here too, but for what this one says otherwise. */
export const SpecChanges = v.strictObject({
  ...v.partial(v.strictObject(specEntries)).entries,
  id: Id,
  title: Text,
  revision: Text,
  source: Source,
  /** A bundled table, or a file by its path from here. */
  extends: Text,
  facts: v.optional(v.record(Id, v.strictObject({ title: v.optional(Text), default: v.optional(Fact) }))),
  rows: v.optional(v.array(RowChange)),
});

export type WrittenSpec = v.InferOutput<typeof WholeSpec>;
export type SpecChanges = v.InferOutput<typeof SpecChanges>;

/** One need as the plan takes it. */
export interface Need extends WrittenNeed {
  /** It is one of several of which one is enough: which of the row's choices it belongs to, and which it is there. */
  readonly choice?: { readonly of: number; readonly index: number };
}

/** A row as the program takes it: nothing is left to be looked up. */
export interface Requirement extends Omit<
  WrittenRow,
  'from' | 'needs' | 'source' | 'confidence' | 'basis' | 'require'
> {
  /** For people: several are joined by ", ". */
  readonly from: string;
  /** The roles of `from`. */
  readonly sourceRoles: readonly string[];
  readonly needs: readonly Need[];
  readonly source: WrittenRow['source'] & { readonly title: string };
  readonly confidence: Confidence;
  readonly basis: Basis;
  readonly require?: 'any' | undefined;
  /** The id of the table that it is from. */
  readonly catalogue: string;
  /** What other tables of the run say of it that this one does not. */
  readonly contradictions?: readonly string[];
}

/** A spec as loaded: with the hash of its bytes, so that a report says what it was judged by. */
export interface LoadedSpec extends Omit<WrittenSpec, 'rows'> {
  readonly rows: readonly Requirement[];
  readonly sha256: string;
  /** The tables that it was joined of, where there are several. */
  readonly catalogues: readonly Catalogue[];
  /** What they say differently of one thing. */
  readonly remarks: readonly string[];
  /** The names of the files that it was made of: its own first, then what it extends. */
  readonly files: readonly string[];
}

export interface Catalogue {
  readonly id: string;
  readonly title: string;
  readonly revision: string;
  readonly sha256: string;
  readonly rows: number;
}
