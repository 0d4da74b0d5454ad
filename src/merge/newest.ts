/**
 * Which word of a machine about a row counts: the newest of those that say something. The choice is the greatest by one
 * order, so that neither the sequence nor the grouping of the reports changes it, and a report given twice is one.
 */
import { addressKind, canonicalHost, familyOf } from '../model/address.ts';
import type { ReportCheck } from '../model/report.ts';
import type { Part, PartRun, Word } from './part.ts';

/** The parts that still have a word, each with the words that count. */
export function newestWords(parts: readonly Part[]): Part[] {
  const best = new Map<string, Map<string, Told>>();
  for (const { run, words } of parts) {
    const machine = machineOf(run);
    let rows = best.get(machine);
    if (!rows) best.set(machine, (rows = new Map()));
    for (const [row, word] of words) {
      const told = { run, word };
      const other = rows.get(row);
      if (!other || isGreater(told, other)) rows.set(row, told);
    }
  }
  const kept = new Map<string, { run: PartRun; words: Map<string, Word> }>();
  for (const rows of best.values()) {
    for (const [row, { run, word }] of rows) {
      const key = JSON.stringify(run);
      let part = kept.get(key);
      if (!part) kept.set(key, (part = { run, words: new Map() }));
      part.words.set(row, word);
    }
  }
  return [...kept.values()];
}

interface Told {
  readonly run: PartRun;
  readonly word: Word;
}

/**
 * A machine is its name and its first address that others can reach it by: many are called localhost. One that moved to
 * another address counts as another, and its old report gets stale.
 */
export const machineOf = ({ hostname, addresses }: PartRun): string =>
  JSON.stringify([canonicalHost(hostname), mainAddress(addresses)]);

export function mainAddress(addresses: readonly string[]): string {
  const ordinary = addresses.filter((address) => addressKind(address) === 'ordinary');
  return ordinary.find((address) => familyOf(address) === 4) ?? ordinary[0] ?? '';
}

function isGreater(one: Told, other: Told): boolean {
  const order =
    strength(one.word) - strength(other.word) ||
    Date.parse(one.run.startedAt) - Date.parse(other.run.startedAt) ||
    compare(one.run.sha256, other.run.sha256);
  if (order !== 0) return order > 0;
  // The same report twice, or what two merged reports kept of it: with receipts and without.
  const proven = arrivals(one.word) - arrivals(other.word);
  return proven === 0 ? compare(wholeText(one), wholeText(other)) > 0 : proven > 0;
}

/** That a row was not asked for is less than any word about it, however old. */
const strength = ({ skip }: Word): number => (skip === 'not-selected' ? 0 : 1);

const arrivals = ({ checks }: Word): number => checks.filter(({ hint }) => hint === 'arrived').length;

/** Which rows a check belongs to is found out anew. */
const wholeText = ({ run, word }: Told): string =>
  JSON.stringify([run, word], (key, value: unknown) => (key === 'rows' ? undefined : value));

export const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** xs-2 before xs-10. */
export const naturally = (one: string, other: string): number =>
  one.localeCompare(other, 'en', { numeric: true }) || compare(one, other);

/** In the order of the rows, and in theirs: however much of its report is left. */
export function checksOf({ words }: Part, rowIds: readonly string[]): ReportCheck[] {
  const checks = new Map<string, { check: ReportCheck; rows: string[] }>();
  for (const row of rowIds) {
    for (const check of words.get(row)?.checks ?? []) {
      const known = checks.get(check.id);
      if (known) known.rows.push(row);
      else checks.set(check.id, { check, rows: [row] });
    }
  }
  return [...checks.values()].map(({ check, rows }) => Object.assign({}, check, { rows }));
}
