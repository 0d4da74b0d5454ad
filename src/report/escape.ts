/**
 * Texts from the network, the site file and certificates are hostile: here they lose every character that makes a
 * terminal, a log viewer or a parser do something instead of showing something. Each format then adds its own quoting.
 */
import { codeUnits, unprintable, visible } from '../wire/visible.ts';

/** ASCII and our own signs: where there is nothing else, the others need not be looked for. */
const harmless = /^[\x20-\x7e…×→]*$/;
const harmlessLines = /^[\n\x20-\x7e…×→]*$/;

/** One line of visible characters: line ends and tabs become a space, the rest of the unprintable its escape. */
export function plain(text: string): string {
  return harmless.test(text) ? text : visible(text.replaceAll(/[\t\n\r]+/g, ' '));
}

/** Several lines that are ours, with texts in them that are not. */
export const lines = (text: string): string => visible(text.replaceAll(/\t|\r(?=\n)/g, ' '));

/** XML 1.0 and HTML, in text and in quoted attributes. */
export function markup(text: string): string {
  return plain(text).replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** The value of a Prometheus label, without its quotes. */
export function label(text: string): string {
  return plain(text).replaceAll(/[\\"]/g, String.raw`\$&`);
}

/**
 * A cell of a markdown table, or a line of prose that must stay prose. What GitHub and GitLab make links and mentions of
 * stands as code, which they leave alone; a line that begins with a slash would be an order to them (`/close`).
 */
export function cell(text: string): string {
  return plain(text)
    .trimStart()
    .split(/([ <>&"]+)/)
    .map((word) => (isLive.test(word) ? code(word) : prose(word)))
    .join('')
    .replace(/^(?:\/|[+-](?=[\s+-]|$))/, String.raw`\$&`)
    .replace(/^(\d+)([.)](?:\s|$))/, String.raw`$1\$2`);
}

const isLive = /@|:\/\/|\bwww\.|\b(?:mailto|xmpp):|(?<!\w)[#!]\d/i;

const prose = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~#$]/g, String.raw`\$&`);

/** As many backticks around it as it does not hold in a row. */
function code(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = longest > 0 ? ' ' : '';
  // Nothing in code escapes a backslash, and one before a bar would escape the bar's own: a space parts them.
  const parted = text.replaceAll(String.raw`\|`, String.raw`\ |`).replaceAll('|', String.raw`\|`);
  return `${fence}${space}${parted}${space}${fence}`;
}

/** A field of a CSV line. One that begins like a formula gets an apostrophe: spreadsheets run what peers send. */
export function field(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = plain(value);
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** JSON stays exact: what is unprintable can only stand inside strings, where \u says the same. */
export function json(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, null, indent);
  if (harmlessLines.test(text)) return text;
  return text.replaceAll(unprintable(), (char) => (char === '\n' ? char : codeUnits(char)));
}
