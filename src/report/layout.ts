/** Lines for a terminal of so many columns. Whatever goes through here is printable, and no line is too long. */
import { plain } from './escape.ts';

const ellipsis = '…';
/** One column each, and all that most reports hold. */
const narrow = /^[\x20-\x7e…]*$/;

/**
 * Two columns in every terminal font: East Asian letters and pictures. One too many is better than one too few. Made at its
 * first use, like every expression that asks Unicode for properties: 0.3 ms each of a start that meets none of these.
 */
const wide = (): RegExp =>
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe10-\ufe6f\uff00-\uff60\uffe0-\uffe6\p{Emoji_Presentation}\u{16fe0}-\u{18fff}\u{1b000}-\u{1b2ff}\u{1f000}-\u{1ffff}\u{20000}-\u{3ffff}]/u;
const combining = (): RegExp => /^\p{M}$/u;

export function columns(text: string): number {
  if (narrow.test(text)) return text.length;
  let sum = 0;
  for (const char of text) sum += columnsOf(char);
  return sum;
}

/** The text, cut to so many columns; the cut shows. */
export function fit(text: string, width: number): string {
  // A character takes at most two code units and at least no column, so this bounds the work and not the result.
  const shown = plain(text.length > 4096 ? text.slice(0, 4096) : text);
  if (columns(shown) <= width) return shown;
  if (width < 1) return '';
  let kept = '';
  let left = width - 1;
  for (const char of shown) {
    left -= columnsOf(char);
    if (left < 0) break;
    kept += char;
  }
  return kept.trimEnd() + ellipsis;
}

/** The same, filled up with spaces. */
export function pad(text: string, width: number): string {
  const fitted = fit(text, width);
  return fitted + ' '.repeat(Math.max(0, width - columns(fitted)));
}

/** Breaks between words; a word longer than a line loses its middle; no text, no lines. `first` opens the first line, spaces of its width the others. */
export function wrap(text: string, width: number, first = ''): string[] {
  const indent = ' '.repeat(columns(first));
  const room = Math.max(8, width - indent.length);
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of plain(text).split(' ')) {
    if (word === '') continue;
    const fitted = squeeze(word, room);
    const length = columns(fitted);
    if (used > 0 && used + 1 + length > room) {
      lines.push(line);
      line = '';
      used = 0;
    }
    line += used > 0 ? ` ${fitted}` : fitted;
    used += (used > 0 ? 1 : 0) + length;
  }
  if (line !== '') lines.push(line);
  return lines.map((each, at) => ((at === 0 ? first : indent) + each).trimEnd());
}

/** A long name says most at its two ends: `storage-contr…example.test:3260`. */
function squeeze(word: string, width: number): string {
  if (columns(word) <= width) return word;
  const end = word.slice(-Math.floor(width / 4)).toWellFormed();
  return fit(word, width - columns(end)) + end;
}

function columnsOf(char: string): number {
  if (narrow.test(char)) return 1;
  if (combining().test(char)) return 0;
  return wide().test(char) ? 2 : 1;
}
