/** The place under test: what a site file may say. Roles, facts and ports are checked against the spec in load/site.ts. */
import * as v from 'valibot';
import { Fact, Id, Port, Text } from './spec.ts';

const HostName = v.pipe(v.string(), v.nonEmpty(), v.description('an address or a name'));
const DnsName = v.pipe(v.string(), v.nonEmpty(), v.description('a domain name'));
const DocumentedPort = v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.description('the documented port'));

export const HostObject = v.strictObject({
  /** IPv4, IPv6 or a name. */
  host: HostName,
  /** For a role whose rows have one port. */
  port: v.optional(Port),
  /** Documented port -> the one in use. */
  ports: v.optional(v.record(DocumentedPort, Port)),
  console: v.optional(v.picklist(['vnc', 'rdp'])),
  /** The Active Directory domain this controller serves. */
  domain: v.optional(DnsName),
});
export type HostObject = v.InferOutput<typeof HostObject>;

const HostList = v.array(v.union([HostName, HostObject]));

const RoleObject = v.strictObject({
  hosts: v.optional(HostList),
  /** Controllers are found by the domain's DNS service records. */
  domain: v.optional(DnsName),
  /** At most this many found controllers are checked. */
  limit: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000), v.description('a whole number from 1 to 1000')),
  ),
  /** `any`: one good host is enough. */
  require: v.optional(v.picklist(['all', 'any'])),
});

// The list comes first: to valibot an array is an object too.
const Role = v.union([HostName, HostList, HostObject, RoleObject]);

const Fingerprint = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/), v.description('64 hex digits'));

const Proxy = v.strictObject({
  url: Text,
  username: v.optional(Text),
  /** A file that holds the password, relative to the site file. */
  passwordFile: v.optional(Text),
  /** The rows that it serves; without it, all that go to external domains. */
  for: v.optional(v.array(Id)),
});

export const SiteFile = v.strictObject({
  name: v.optional(Text),
  /** A bundled one, a file of one's own, or several. */
  spec: v.optional(v.union([Text, v.pipe(v.array(Text), v.nonEmpty())])),
  /** What the pool says that it is: "XCP-ng 8.3.0". */
  product: v.optional(v.pipe(Text, v.regex(/^\S.* \d[\w.]*$/), v.description('a brand and a version'))),
  vantage: v.optional(v.pipe(v.array(Id), v.nonEmpty())),
  roles: v.optional(v.record(v.string(), Role), {}),
  'not-used': v.optional(v.array(Id)),
  facts: v.optional(v.record(v.string(), Fact), {}),
  proxy: v.optional(Proxy),
  /** SHA-256 of the certificates that the pool's members show each other. */
  'pool-certificates': v.optional(v.pipe(v.array(Fingerprint), v.nonEmpty())),
  /** PEM files with further trusted roots, relative to the site file. */
  trust: v.optional(v.array(Text)),
  /** What responders gave out (`respond --pair-file`), relative to the site file. */
  pairs: v.optional(v.array(Text)),
  names: v.optional(v.record(Text, v.pipe(v.array(DnsName), v.nonEmpty()))),
  dns: v.optional(
    v.strictObject({ query: v.optional(DnsName), type: v.optional(v.picklist(['A', 'AAAA', 'SRV', 'NS', 'SOA'])) }),
  ),
});
export type SiteFile = v.InferOutput<typeof SiteFile>;

/** One host of a role, whatever way the file wrote it. */
export interface Host {
  readonly host: string;
  readonly port?: number;
  readonly ports: Readonly<Record<string, number>>;
  readonly console?: 'vnc' | 'rdp';
  readonly domain?: string;
}

export interface RoleHosts {
  readonly hosts: readonly Host[];
  readonly require: 'all' | 'any';
  /** Controllers of this domain are to be found by DNS before the plan is made. */
  readonly domain?: string;
  readonly limit?: number;
  /** Hosts that only rows with these ports want: global catalogs on 3268. */
  readonly globalCatalogs?: readonly Host[];
  /** Nobody said which controllers are one: of those above one that answers is enough. */
  readonly isCatalogUnknown?: boolean;
  /** What discovery has to tell: how many were found, which were left out. */
  readonly notes: readonly string[];
}

export interface SiteProxy {
  readonly url: string;
  readonly username?: string;
  readonly passwordFile?: string;
  /** Row ids; without it every row to external domains goes through the proxy. */
  readonly for?: readonly string[];
}

/** The site as the plan wants it: every role in one shape, paths resolved, secrets not in it. */
export interface Site {
  readonly name: string;
  readonly origin: 'file' | 'discovered' | 'embedded';
  /** The names of the tables that it is held against, or their files. */
  readonly specs: readonly string[];
  readonly product?: string;
  readonly vantage: readonly string[];
  readonly roles: Readonly<Record<string, RoleHosts>>;
  readonly notUsed: readonly string[];
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly proxy: SiteProxy | null;
  readonly trust: readonly string[];
  /** Pair files of responders at the other ends. */
  readonly pairs?: readonly string[];
  /** The folder of the site file: what it names lies below it. Absent where a program says which files are read. */
  readonly folder?: string;
  readonly names: Readonly<Record<string, readonly string[]>>;
  readonly dns: { readonly query?: string; readonly type?: string };
  /** SHA-256 of the certificates that the pool's members show each other; absent where nobody verifies them. */
  readonly poolCertificates?: readonly string[];
  /** What the pool itself complains of, by the rows that it speaks of. */
  readonly alerts?: readonly { readonly rows: readonly string[]; readonly text: string }[];
}

/** This machine, as far as the plan must know it. */
export interface Vantage {
  readonly hostname: string;
  readonly addresses: readonly string[];
  /** Its network interfaces that are up, as a zone may name them (`%eth0`, `%2`), with their IPv6 addresses. */
  readonly links?: readonly Link[];
}

export interface Link {
  readonly name: string;
  readonly index: number;
  readonly addresses: readonly string[];
}
