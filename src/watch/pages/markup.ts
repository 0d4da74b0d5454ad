/** Pieces of pages. Whatever is put into a template is escaped, unless it is a piece already. */
import { markup as escape } from '../../report/escape.ts';

/** Text that is markup, because it was made here. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

type Piece = Html | string | number | null | undefined | readonly Piece[];

export const html = (strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html =>
  new Html(strings.map((text, i) => text + (i < pieces.length ? textOf(pieces[i]) : '')).join(''));

function textOf(piece: Piece): string {
  if (piece === null || piece === undefined) return '';
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'string' || typeof piece === 'number') return escape(String(piece));
  return piece.map(textOf).join('');
}

export const nothing = new Html('');

/** What keeps its line ends, for a `pre`. */
export const lines = (texts: readonly string[]): Html => new Html(texts.map(escape).join('\n'));

/** "2026-11-25 13:31 UTC": a moment, the same for everybody who looks. */
export const moment = (at: number): Html =>
  html`<time datetime="${new Date(at).toISOString()}"
    >${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC</time
  >`;

/** 99.93 %, never rounded up to a hundred. */
export function percent(share: number): string {
  if (share >= 1) return '100 %';
  const floored = Math.floor(share * 10_000) / 100;
  return `${floored.toFixed(2)} %`;
}
