/** What a XenServer or XCP-ng host says of itself in a file: /etc/xensource-inventory, lines of KEY='VALUE'. */
import { join } from 'node:path';
import type { Product } from './product.ts';
import { readTextIfThere } from './read-file.ts';

const file = 'etc/xensource-inventory';

/** The host's own uuid; undefined where this is no such host. */
export const readInventory = (root: string): string | undefined =>
  /^INSTALLATION_UUID='?([0-9a-f-]{36})'?\s*$/m.exec(textBelow(root))?.[1];

/** What it runs; null where this is no such host, or it does not say. */
export const readProduct = (root: string): Product | null => productIn(textBelow(root));

export function productIn(inventory: string): Product | null {
  const [brand, version] = ['BRAND', 'VERSION'].map(
    (what) => new RegExp(`^PRODUCT_${what}='?([^'\\n]{1,64})'?\\s*$`, 'm').exec(inventory)?.[1],
  );
  return brand === undefined || version === undefined ? null : { brand, version, from: `/${file}` };
}

const textBelow = (root: string): string => readTextIfThere(join(root, file)).slice(0, 65_536);
