/** Makes what would do something in a terminal, a log viewer or a parser, or hide in a text, stand there to be seen. */

/** Controls, format characters (direction overrides, tags), what is drawn as nothing, line separators, noncharacters. */
export const unprintable = (): RegExp =>
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

/** ASCII and our own signs: where there is nothing else, the others need not be looked for. */
const harmless = /^[\n\x20-\x7e…×→]*$/;

/** Line ends stay; every other unprintable character becomes its escape: \x1b, \u{202e}. */
export function visible(text: string): string {
  if (harmless.test(text)) return text;
  return text.toWellFormed().replaceAll(unprintable(), (char) => (char === '\n' ? char : escapeOf(char)));
}

function escapeOf(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** As JSON and JavaScript write it, which say the same with it: \u001b. */
export const codeUnits = (char: string): string =>
  Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
