/** The version in package.json, from the source tree and from the built package alike. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function version(): string {
  const folders = ['', '..', '../..', '../../..'].map((up) => join(import.meta.dirname, up, 'package.json'));
  const file = folders.find((name) => existsSync(name));
  const parsed: unknown = file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8'));
  const found = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : undefined;
  return typeof found === 'string' ? found : 'unknown';
}
