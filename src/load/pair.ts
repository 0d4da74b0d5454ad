/** Reads what `respond` gave out: a pair file, or the one line of it. The key in it is in no message. */
import { statSync } from 'node:fs';
import * as v from 'valibot';
import { UsageError } from '../model/errors.ts';
import { isAddress } from '../model/address.ts';
import { PairShape, pairSchema, type Pair } from '../model/pair.ts';
import { show, throwIfAny } from './faults.ts';
import { readFile, readNamedFile, type NamedFiles } from './read-file.ts';
import { shapeFaults } from './shape.ts';

const maxPairBytes = 64 * 1024;

export interface ReadPair {
  /** Where it came from. */
  readonly name: string;
  readonly pair: Pair;
  /** What whoever keeps it should know. */
  readonly warning: string | null;
}

/** `named`: a site names it, and says where its files lie. */
export function readPair(file: string, now: Date, named?: NamedFiles): ReadPair {
  const bytes = named ? readNamedFile(file, 'pairs', named, maxPairBytes) : readFile(file, maxPairBytes);
  const pair = parsePair(new TextDecoder().decode(bytes), file, now);
  return { name: file, pair, warning: openText(file) };
}

/** `name` stands in error messages. */
export function parsePair(text: string, name: string, now: Date): Pair {
  const value = valueOf(text.trim(), name);
  refuseOther(value, name);
  throwIfAny(shapeFaults(PairShape, value), { file: name, positionOf: (path) => `/${path.join('/')}:` });
  const pair = v.parse(PairShape, value);
  const strange = pair.addresses.find((address) => !isAddress(address));
  if (strange !== undefined) throw new UsageError(`${name}: ${show(strange)} among its addresses is no address`);
  if (Date.parse(pair.until) <= now.getTime()) {
    throw new UsageError(
      `${name}: the responder on ${pair.host} ended at ${pair.until}, and it is ${now.toISOString()} by this machine's clock; start \`xenreach respond\` there again and take its new pair, or set the clock right`,
    );
  }
  return pair;
}

function valueOf(text: string, name: string): unknown {
  if (text === '') throw new UsageError(`${name}: is empty; it holds what \`xenreach respond\` gave out`);
  const isLine = /^[A-Za-z0-9_-]+$/.test(text);
  const json = isLine ? Buffer.from(text, 'base64url').toString('utf8') : text;
  try {
    return JSON.parse(json);
  } catch {
    const isCut = json.startsWith('{');
    throw new UsageError(
      isCut
        ? `${name}: the pair is cut short: copy all of what \`xenreach respond\` gave out`
        : `${name}: is no pair; give what \`xenreach respond\` printed or wrote with --pair-file`,
    );
  }
}

function refuseOther(value: unknown, name: string): void {
  const schema: unknown = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  if (schema === pairSchema) return;
  const isOther = typeof schema === 'string' && schema.startsWith('xenreach.pair/');
  throw new UsageError(
    isOther
      ? `${name}: has the schema ${show(schema)}, which this xenreach does not know; it reads ${pairSchema}, so take the same version at both ends`
      : `${name}: is no pair: its "schema" is ${show(schema)}, not ${show(pairSchema)}`,
  );
}

/** Whoever reads the key can speak for the other end. */
function openText(file: string): string | null {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFile() === true && (found.mode & 0o077) !== 0
    ? `${file} can be read by others, and holds a key: chmod 600 ${file}`
    : null;
}
