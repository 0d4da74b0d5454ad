/** What a XenServer host says of itself in a file: /etc/xensource-inventory, lines of KEY='VALUE'. */
import { join } from 'node:path';
import { readTextIfThere } from '../load/read-file.ts';

/** The host's own uuid; undefined where this is no such host. */
export function readInventory(root: string): string | undefined {
  const text = readTextIfThere(join(root, 'etc/xensource-inventory')).slice(0, 65_536);
  return /^INSTALLATION_UUID='?([0-9a-f-]{36})'?\s*$/m.exec(text)?.[1];
}
