/** The version in package.json, from the source tree and from the built package alike. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

export function version(): string {
  const file = findPackageJSON(import.meta.url);
  // Where no package.json lies above, the search ends at this very file.
  const parsed: unknown = file?.endsWith('.json') ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const found = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : undefined;
  return typeof found === 'string' ? found : 'unknown';
}
