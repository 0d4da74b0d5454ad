/** Loads a site file and holds it against the spec: a word that means nothing is an error, never a check less. */
import { basename, dirname, extname, resolve } from 'node:path';
import * as v from 'valibot';
import { UsageError } from '../model/errors.ts';
import { SiteFile, type Site, type SiteProxy } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { throwIfAny, type Fault } from './faults.ts';
import { passwordPlaces, proxyUrlFault } from './proxy-url.ts';
import { readFile } from './read-file.ts';
import { shapeFaults } from './shape.ts';
import { defaultSpec } from './default-spec.ts';
import { isPath } from './spec-name.ts';
import { siteFaults } from './site-faults.ts';
import { normalRole, plainName, writtenRole } from './site-roles.ts';
import { parseYaml, type YamlDocument } from './yaml.ts';

const SpecName = v.pipe(v.string(), v.nonEmpty());
const SpecNames = v.union([SpecName, v.pipe(v.array(SpecName), v.nonEmpty())]);

const standardInput = '<stdin>';

/** A site that is read, before it is held against the spec that it may name itself. */
export interface SiteDocument extends YamlDocument {
  /** Where its relative paths start, and where the files that it names lie. */
  readonly folder: string;
  /** The specs that it asks for, paths of files resolved; null when it names none. */
  readonly specs: readonly string[] | null;
}

/** `specsNamed` gets the specs that the site asks for, paths of files resolved; the usual one where it asks for none. */
export async function readSiteFile(
  file: string,
  specsNamed: (names: readonly string[]) => Promise<LoadedSpec>,
): Promise<Site> {
  const document = await readSite(readFile(file), file);
  return siteOf(document, await specsNamed(document.specs ?? [defaultSpec]));
}

export async function parseSite(source: string | Uint8Array, fileName: string, spec: LoadedSpec): Promise<Site> {
  return siteOf(await readSite(source, fileName), spec);
}

/** `fileName` stands in error messages. */
export async function readSite(source: string | Uint8Array, fileName: string): Promise<SiteDocument> {
  const document = await parseYaml(source, fileName);
  const folder = folderOf(fileName);
  const named = v.safeParse(v.looseObject({ spec: SpecNames }), document.value);
  const specs = named.success ? [named.output.spec].flat() : null;
  return { ...document, folder, specs: specs && specs.map((spec) => (isPath(spec) ? resolve(folder, spec) : spec)) };
}

export function siteOf(document: SiteDocument, spec: LoadedSpec): Site {
  const { file: fileName, folder } = document;
  const misshapen = shapeFaults(SiteFile, document.value);
  const sound = v.safeParse(SiteFile, withoutFaulty(misshapen, document.value));
  const site = sound.success ? sound.output : v.parse(SiteFile, {});
  const roles = Object.entries(site.roles).map(([name, entry]) => writtenRole(name, entry));
  throwIfAny([...misshapen.map(withoutSecrets), ...siteFaults(site, roles, spec)], document);
  return {
    name: site.name ?? (fileName === standardInput ? 'site' : basename(fileName, extname(fileName))),
    origin: 'file',
    specs: document.specs ?? spec.id.split('+'),
    ...(site.product !== undefined && { product: site.product }),
    vantage: [...new Set(site.vantage)],
    roles: Object.fromEntries(roles.map((role) => [role.name, normalRole(role)])),
    notUsed: [...new Set(site['not-used'])],
    facts: site.facts,
    proxy: site.proxy ? proxyOf(site.proxy, folder) : null,
    trust: (site.trust ?? []).map((file) => resolve(folder, file)),
    ...(site.pairs && { pairs: site.pairs.map((file) => resolve(folder, file)) }),
    folder,
    names: site.names ?? {},
    dns: dnsOf(site.dns),
    ...(site['pool-certificates'] && { poolCertificates: site['pool-certificates'] }),
  };
}

/** The URL of `--proxy` or `proxy:`, as http://HOST:PORT; `where` opens the error message. */
export function parseProxyUrl(text: string, where: string): string {
  const fault = proxyUrlFault(text);
  if (fault !== null) throw new UsageError(`${where} ${fault}`);
  return text.trim().replace(/\/$/, '');
}

/** The site less its misshapen entries, so that the rest can be looked at in the same go. */
function withoutFaulty(faults: readonly Fault[], value: unknown): unknown {
  if (faults.length === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const site = structuredClone<object>(value);
  for (const { path } of faults) {
    const [key = '', entry] = path;
    const section: unknown = Reflect.get(site, key);
    const isList = key === 'roles' || key === 'facts' || key === 'names';
    if (isList && entry !== undefined && typeof section === 'object' && section !== null)
      Reflect.deleteProperty(section, entry);
    else Reflect.deleteProperty(site, key);
  }
  return site;
}

/** What is written under `proxy` is not repeated, and whoever wrote a password there is told where it belongs. */
function withoutSecrets(fault: Fault): Fault {
  if (fault.path[0] !== 'proxy') return fault;
  const isPassword = fault.path[1] === 'password';
  const text = isPassword
    ? `no password is written into a site; ${passwordPlaces}`
    : fault.text.replace(/, not .*/s, '');
  return { ...fault, text };
}

const proxyOf = (proxy: NonNullable<SiteFile['proxy']>, folder: string): SiteProxy => ({
  url: parseProxyUrl(proxy.url, 'the proxy'),
  ...(proxy.username !== undefined && { username: proxy.username }),
  ...(proxy.passwordFile !== undefined && { passwordFile: resolve(folder, proxy.passwordFile) }),
  ...(proxy.for && { for: [...new Set(proxy.for)] }),
});

const dnsOf = ({ query, type }: NonNullable<SiteFile['dns']> = {}): Site['dns'] => ({
  ...(query !== undefined && { query: plainName(query) }),
  ...(type && { type }),
});

const folderOf = (fileName: string): string => resolve(fileName === standardInput ? '.' : dirname(fileName));
