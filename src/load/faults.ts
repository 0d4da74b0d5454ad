/** Collects everything that is wrong with one file, so that it can be put right in one go. */
import { UsageError } from '../model/errors.ts';
import { codeUnits, unprintable } from '../wire/visible.ts';

const maxFaults = 20;
/** Beyond this nobody looks where a fault stands. */
export const maxTold = 1000;

/** Keys and indexes from the top of the document. */
export type Path = readonly (string | number)[];

/** One thing that is wrong: `what is wrong; what to do`. */
export interface Fault {
  readonly path: Path;
  /** Point at the key itself instead of what stands behind it. */
  readonly atKey?: boolean;
  readonly text: string;
}

/** Where a path lies in the file. */
export interface Places {
  readonly file: string;
  /** LINE:COLUMN */
  positionOf(path: Path, atKey?: boolean): string;
}

/** Throws one UsageError that names every fault with file, line and column, in the file's order, when there are any. */
export function throwIfAny(faults: readonly Fault[], places: Places): void {
  if (faults.length === 0) return;
  const lines = faults
    .slice(0, maxTold)
    .map(({ path, atKey, text }) => `${places.file}:${places.positionOf(path, atKey)} ${text}`);
  const inOrder = [...new Set(lines)].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  throw new UsageError(firstOf(inOrder).join('\n'));
}

/** The first twenty, and how many more there are. */
export function firstOf(lines: readonly string[]): readonly string[] {
  if (lines.length <= maxFaults) return lines;
  return [...lines.slice(0, maxFaults), `and ${lines.length - maxFaults} more`];
}

/** A value in an error message: one short line, what cannot be seen escaped, passwords in URLs left out. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(typeof value === 'string' ? value.replace(/\/\/.*@/s, '//***@') : value);
  const seen = text.toWellFormed().replaceAll(unprintable(), codeUnits);
  return seen.length <= 80 ? seen : `${seen.slice(0, 77)}...`;
}
