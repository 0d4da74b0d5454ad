/**
 * Blanks a password in what a peer says: a proxy may repeat what it was sent, as it was or in another writing (base64 with
 * the user before it, percent signs, a form's plus signs, JSON, HTML), in a header or on a page.
 */
import type { Evidence, Json } from '../model/outcome.ts';

export type Veil = (text: string) => string;

const blanked = '[password]';

/** Texts shorter than this are in every sentence: only the writings that hold more than them are blanked. */
const shortestAlone = 4;

export function veilOf({
  username = '',
  password,
}: {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}): Veil {
  if (password === undefined || password === '') return same;
  const pair = `${username}:${password}`;
  const whole = [pair, ...writings(pair)];
  const alone = password.length < shortestAlone ? [] : [password, ...writings(password)];
  const longestFirst = [...new Set([...whole, ...alone])].toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((text) => RegExp.escape(text)).join('|'), 'g');
  return (text) => text.replaceAll(pattern, blanked);
}

const same: Veil = (text) => text;

function writings(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8');
  const percent = encodeURIComponent(text);
  return [
    bytes.toString('latin1'),
    bytes.toString('base64'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    ...bothCases(bytes.toString('hex')),
    percent,
    percent.replaceAll(/%../g, (escape) => escape.toLowerCase()),
    percent.replaceAll('%20', '+'),
    encodeURIComponent(percent),
    ...bothCases([...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')),
    JSON.stringify(text).slice(1, -1),
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    ...oneByOne(text),
  ];
}

const bothCases = (text: string): string[] => [text.toLowerCase(), text.toUpperCase()];

/** As a client's quoted-string has it, and without the characters that are no ASCII, which reports show as "?". */
function oneByOne(text: string): string[] {
  const quoted = text.replaceAll(/["\\]/g, String.raw`\$&`);
  const latin = Buffer.from(text, 'utf8').toString('latin1');
  // A certificate's name has it escaped (RFC 4514, 2.4).
  const named = text.replaceAll(/[,+"\\<>;]/g, String.raw`\$&`);
  return [quoted, named, latin.replaceAll(/[^\u0020-\u007E]/g, '?'), text.replaceAll(/[^\u0020-\u007E]/g, '?')];
}

/** Every text in it, however deep; the names of fields are ours. */
export const veiledEvidence = (evidence: Evidence, veil: Veil): Evidence =>
  Object.fromEntries(Object.entries(evidence).map(([key, value]) => [key, veiled(value, veil)]));

function veiled(value: Json, veil: Veil): Json {
  if (typeof value === 'string') return veil(value);
  if (typeof value !== 'object' || value === null) return value;
  return isList(value) ? value.map((each) => veiled(each, veil)) : veiledEvidence(value, veil);
}

const isList = (value: object): value is readonly Json[] => Array.isArray(value);
