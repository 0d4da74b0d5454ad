/** Bytes as a person writes them in a spec: `0x` and hex digits, or text with \r \n \t \0 \\ and \xHH. */
import * as v from 'valibot';

const isHex = /^0x(?:[0-9a-f]{2})*$/i;
const escape = /\\(?:x([0-9a-f]{2})|([rnt0\\]))/gi;
const named: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\' };

export const Bytes = v.pipe(
  v.string(),
  v.maxLength(4096),
  v.check(
    (text) => isHex.test(text) || !(text.startsWith('0x') || text.replaceAll(escape, '').includes('\\')),
    String.raw`expected 0x and pairs of hex digits, or text with \r \n \t \0 \\ and \xHH`,
  ),
);

/** The bytes of a text that `Bytes` has accepted. */
export function bytesOf(text: string): Uint8Array {
  if (isHex.test(text)) return Uint8Array.from(Buffer.from(text.slice(2), 'hex'));
  // Latin-1 for what is escaped, UTF-8 for what is written out: the escapes name bytes, not characters.
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const match of text.matchAll(escape)) {
    parts.push(Buffer.from(text.slice(at, match.index)), Buffer.from(unescaped(match), 'latin1'));
    at = match.index + match[0].length;
  }
  parts.push(Buffer.from(text.slice(at)));
  return Uint8Array.from(Buffer.concat(parts));
}

function unescaped([, hex, letter]: RegExpMatchArray): string {
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
  return named[letter?.toLowerCase() ?? ''] ?? '';
}
