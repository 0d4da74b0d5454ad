/**
 * What a pool's records hold, taken field by field: a field that is missing or of another kind is undefined, a text is one
 * line without what a terminal or a file would obey. Nothing here trusts the host.
 */
import { plainHost, hostFault } from '../load/host.ts';
import { canonicalHost } from '../model/address.ts';
import { printable } from '../wire/text.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** The records of one class by their reference. */
export type Records = ReadonlyMap<string, Fields>;

/** A class that this host does not have, or did not give: why. */
export interface Unread {
  readonly why: string;
  /** The host does not know the class: an older product, and no fault. */
  readonly isUnknown: boolean;
}

/** By class. */
export type PoolRecords = Readonly<Record<string, Records | Unread>>;

const maxRecords = 20_000;
const maxText = 1024;

export const isRead = (records: Records | Unread | undefined): records is Records => records instanceof Map;

/** The result of CLASS.get_all_records; undefined when it is none. */
export function recordsIn(result: unknown): Records | undefined {
  if (!isFields(result)) return undefined;
  const entries: [string, Fields][] = [];
  for (const [reference, record] of Object.entries(result).slice(0, maxRecords)) {
    if (isFields(record)) entries.push([reference, record]);
  }
  return new Map(entries);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const own = (fields: Fields, key: string): unknown => (Object.hasOwn(fields, key) ? fields[key] : undefined);

export function text(fields: Fields, key: string): string | undefined {
  const value = own(fields, key);
  return typeof value === 'string' ? printable(value, maxText).trim() : undefined;
}

/** XAPI writes truths in maps as text. */
export function flag(fields: Fields, key: string): boolean | undefined {
  const value = own(fields, key);
  if (value === 'true' || value === 'false') return value === 'true';
  return typeof value === 'boolean' ? value : undefined;
}

export function map(fields: Fields, key: string): Fields {
  const value = own(fields, key);
  return isFields(value) ? value : {};
}

export function list(fields: Fields, key: string): readonly string[] {
  const value = own(fields, key);
  const texts = Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  return texts.slice(0, maxRecords).map((each) => printable(each, maxText).trim());
}

export const has = (fields: Fields, key: string): boolean => Object.hasOwn(fields, key);

/** A port as a number, or undefined. */
export function port(value: string | undefined): number | undefined {
  const number = value !== undefined && /^\d{1,5}$/.test(value) ? Number(value) : 0;
  return number >= 1 && number <= 65_535 ? number : undefined;
}

/** As a site has it, or undefined when no packet can be sent there. */
export function hostIn(value: string | undefined): string | undefined {
  if (value === undefined || value === '' || hostFault(value) !== null) return undefined;
  return canonicalHost(plainHost(value));
}

/** HOST, HOST:PORT, [IPv6]:PORT or a bare IPv6 address. */
export function endpointIn(value: string): { readonly host: string; readonly port: number | undefined } | undefined {
  const whole = hostIn(value);
  if (whole !== undefined) return { host: whole, port: undefined };
  const [, name, digits] = /^(.*):(\d{1,5})$/s.exec(value) ?? [];
  const host = hostIn(name);
  const number = port(digits);
  return host === undefined || number === undefined ? undefined : { host, port: number };
}
