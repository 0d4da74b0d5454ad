/** The site file that was named or stands in its usual place, and the spec it wants. */
import { existsSync } from 'node:fs';
import { probes } from '../check/registry.ts';
import { namedFiles } from '../check/settings.ts';
import { thisMachine } from '../load/machine.ts';
import { whyNotOurs } from '../load/ownership.ts';
import { maxFileBytes, readFile } from '../load/read-file.ts';
import { readProduct } from '../load/inventory.ts';
import { isFor, parseProduct, productText, specFor, type Product } from '../load/product.ts';
import { readSite, siteOf } from '../load/site.ts';
import { defaultSpec } from '../load/default-spec.ts';
import { isPath } from '../load/spec-name.ts';
import { loadSpec } from '../load/spec.ts';
import { UsageError } from '../model/errors.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { Loaded } from './inputs.ts';
import type { Arguments } from './options.ts';
import { complain } from './streams.ts';
import { wishesFrom } from './wishes.ts';

const defaultSites = ['site.yaml', '/etc/xenreach/site.yaml'];

/** `sends`: the resolvers may be asked where there is no site file. */
export async function load(values: Arguments, sends: boolean): Promise<Loaded & { readonly spec: LoadedSpec }> {
  const loaded = await loadBoth(values, sends);
  for (const remark of loaded.spec.remarks) complain(remark);
  const mismatch = mismatchText(loaded);
  if (mismatch !== null) complain(mismatch);
  return loaded;
}

async function loadBoth(values: Arguments, sends: boolean): Promise<Loaded & { readonly spec: LoadedSpec }> {
  const file = values.site ?? defaultSite();
  if (file === undefined) return discovered(values, sends);
  const name = file === '-' ? '<stdin>' : file;
  // Once: it may be a pipe.
  const source = file === '-' ? await standardInput() : readFile(file);
  const document = await readSite(source, name);
  const wanted = values.spec ?? document.specs ?? [defaultSpec];
  // A file that the site names is not one that the user named.
  const named = values.spec === undefined ? namedFiles(wishesFrom(values), document) : null;
  const spec = await loadSpec(wanted, probes, named);
  return { spec, site: siteOf(document, spec), siteFile: file, specFiles: wanted.filter(isPath) };
}

const discoveryMs = 10_000;

/** Nobody wrote a site: what this machine knows is one. */
async function discovered(values: Arguments, asksDns: boolean): Promise<Loaded & { readonly spec: LoadedSpec }> {
  const { nothingHere, siteOfThisMachine } = await import('../discover/here.ts');
  const choice = values.spec ? await loadSpec(values.spec, probes) : specForProduct;
  const signal = AbortSignal.timeout(discoveryMs);
  const found = await siteOfThisMachine({ vantage: thisMachine(), asksDns, signal, environment: process.env }, choice);
  if (!found) throw nothingHere(defaultSites);
  for (const line of [found.told, ...found.trouble]) complain(line);
  return { spec: found.spec, site: found.site, siteFile: null, specFiles: (values.spec ?? []).filter(isPath) };
}

/** The table for what a pool says that it is; the usual one, and a word about it, where there is none. */
export async function specForProduct(product: Product | null): Promise<LoadedSpec> {
  const usual = (): Promise<LoadedSpec> => loadSpec(defaultSpec, probes);
  if (!product) return usual();
  const found = await specFor(product, probes);
  if (!found)
    complain(`no bundled spec is for ${productText(product)} (${product.from}); it is held against ${defaultSpec}`);
  return found ?? usual();
}

/** A pool held against another product's requirements: its rows are not this one's. A site that does not say is what this host is. */
function mismatchText({ spec, site }: Pick<Loaded, 'site'> & { readonly spec: LoadedSpec }): string | null {
  const isHere = site.vantage.length === 0 || site.vantage.includes(spec.vantage ?? '');
  const product = site.product === undefined ? (isHere ? readProduct('/') : null) : parseProduct(site.product);
  if (!product || isFor(spec, product)) return null;
  const meant = spec.products.map((each) => productText(each)).join(', ');
  return `${site.product === undefined ? 'this host is' : 'the site is'} ${productText(product)}, and ${spec.id} is for ${meant}: rows may not apply; xenreach spec --list names the bundled specs`;
}

function defaultSite(): string | undefined {
  const found = defaultSites.find((file) => existsSync(file));
  if (found !== undefined) {
    const why = whyNotOurs(found);
    if (why === null) return found;
    throw new UsageError(
      `${found} is not taken by itself: ${why}, and a site says what is sent, and to whom. Read it, then name it: --site ${found}`,
    );
  }
  return undefined;
}

async function standardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    // Without an encoding a stream gives buffers; its type says `any`.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > maxFileBytes) throw new UsageError('<stdin>: a site file of more than 4 MiB');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
