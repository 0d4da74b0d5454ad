/** Which table a pool is held against, by what it says that it is. */
import type { Probe } from '../model/probe.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { bundledSpecs, loadSpec } from './spec.ts';

/** The brand and version as XAPI and /etc/xensource-inventory have them: "XCP-ng", "8.3.0". */
export interface Product {
  readonly brand: string;
  readonly version: string;
  /** Who says so. */
  readonly from: string;
}

export const productText = ({ brand, version }: Pick<Product, 'brand' | 'version'>): string => `${brand} ${version}`;

/** Is the table for it? A table that names no products is for any. */
export const isFor = ({ products }: Pick<LoadedSpec, 'products'>, { brand, version }: Omit<Product, 'from'>): boolean =>
  products.length === 0 ||
  products.some((each) => each.brand.toLowerCase() === brand.toLowerCase() && isEdition(version, each.version));

/** 8.4 is an edition of 8, 80 is not. */
const isEdition = (version: string, of: string): boolean => version === of || version.startsWith(`${of}.`);

/** The bundled table for it; null where there is none. */
export async function specFor(product: Product, probes: Readonly<Record<string, Probe>>): Promise<LoadedSpec | null> {
  for (const name of bundledSpecs()) {
    // Few, and each is read once.
    const spec = await loadSpec(name, probes);
    if (spec.products.length > 0 && isFor(spec, product)) return spec;
  }
  return null;
}

/** "XenServer 9.0.0", as a site file says it: the version is the last word. */
export function parseProduct(text: string): Omit<Product, 'from'> {
  const at = text.lastIndexOf(' ');
  return { brand: text.slice(0, at), version: text.slice(at + 1) };
}
