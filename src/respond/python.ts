/** The responder for machines without Node: one Python file, with what the rows want written into its head. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WantedPort } from './wanted.ts';

interface Baked {
  readonly ports: readonly WantedPort[];
  readonly roles: readonly string[];
  readonly forMs: number;
  readonly from: readonly string[];
  /** Who should come, each by its addresses. */
  readonly sources: readonly (readonly string[])[];
}

/** It is read in parts and goes as one. */
const parts = ['messages', 'machine', 'responder', 'main'];
export const builtName = 'responder.py';

/** In a checkout the parts; what is built has the whole beside it. */
export function pythonSource(): string {
  const built = join(import.meta.dirname, builtName);
  if (existsSync(built)) return readFileSync(built, 'utf8');
  return parts.map((name) => readFileSync(join(import.meta.dirname, 'python', `${name}.py`), 'utf8')).join('\n\n');
}

const placeholder = '{"ports": [], "roles": [], "for": 900, "from": [], "sources": []}';

/** Its key is made where it runs, so the file holds no secret. */
export function pythonResponder({ ports, roles, forMs, from, sources }: Baked): string {
  const wanted = ports.map(({ transport, port, rows }) => [transport, port, rows]);
  const baked = JSON.stringify({ ports: wanted, roles, for: forMs / 1000, from, sources });
  return pythonSource().replace(`'${placeholder}'`, () => `'${baked}'`);
}
