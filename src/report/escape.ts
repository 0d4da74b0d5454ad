/**
 * Texts from the network, the site file and certificates are hostile: here they lose every character that makes a
 * terminal, a log viewer or a parser do something instead of showing something. Each format then adds its own quoting.
 */

/** Controls, format characters (direction overrides, invisible joiners, tags), line separators, noncharacters. */
const unprintable = (): RegExp => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/gu;
/** ASCII and our own signs: where there is nothing else, the others need not be looked for. */
const harmless = /^[\x20-\x7e…×→]*$/;
const harmlessLines = /^[\n\x20-\x7e…×→]*$/;

/** One line of visible characters: line ends and tabs become a space, the rest of the unprintable its escape. */
export function plain(text: string): string {
  if (harmless.test(text)) return text;
  return text
    .toWellFormed()
    .replaceAll(/[\t\n\r]+/g, ' ')
    .replaceAll(unprintable(), visible);
}

/** XML 1.0 and HTML, in text and in quoted attributes. */
export function markup(text: string): string {
  return plain(text).replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** The value of a Prometheus label, without its quotes. */
export function label(text: string): string {
  return plain(text).replaceAll(/[\\"]/g, String.raw`\$&`);
}

/** A cell of a markdown table, or a line of prose that must stay prose. */
export function cell(text: string): string {
  return plain(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~#$]/g, String.raw`\$&`);
}

/** JSON stays exact: what is unprintable can only stand inside strings, where \u says the same. */
export function json(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, null, indent);
  if (harmlessLines.test(text)) return text;
  return text.replaceAll(unprintable(), (char) => (char === '\n' ? char : codeUnits(char)));
}

function visible(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

function codeUnits(char: string): string {
  return Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
    '',
  );
}
