/** The responder for machines without Node: one Python file, with what the rows want written into its head. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WantedPort } from './wanted.ts';

interface Baked {
  readonly ports: readonly WantedPort[];
  readonly roles: readonly string[];
  readonly forMs: number;
  readonly from: readonly string[];
}

/** It lies beside this file, in a checkout and where it is built. */
const source = (): string => readFileSync(join(import.meta.dirname, 'responder.py'), 'utf8');

const placeholder = '{"ports": [], "roles": [], "for": 900, "from": []}';

/** Its key is made where it runs, so the file holds no secret. */
export function pythonResponder({ ports, roles, forMs, from }: Baked): string {
  const wanted = ports.map(({ transport, port, rows }) => [transport, port, rows]);
  const baked = JSON.stringify({ ports: wanted, roles, for: forMs / 1000, from });
  return source().replace(`'${placeholder}'`, () => `'${baked}'`);
}
