/** Time as a strip: what was seen, in the colours of the verdicts; what nobody looked at stays empty, and is told. */
import { spell } from '../../model/duration.ts';
import { uptimeOf, type Span } from '../history/ask.ts';
import { uptimeText } from './uptime.ts';
import { html, type Html } from './markup.ts';

const width = 600;

export interface Window {
  readonly from: number;
  readonly to: number;
}

const leastMs = 600_000;

/** So far back, but not to before anything was known: the first hours fill the strip. */
export function windowOf(spans: readonly Span[], now: number, mostMs: number): Window {
  const first = Math.min(...spans.map(({ since }) => since), now);
  return { from: Math.max(now - mostMs, Math.min(first, now - leastMs)), to: now };
}

/** `spans` are of one row. */
export function strip(spans: readonly Span[], { from, to }: Window, className = 'strip'): Html {
  const x = (at: number): number => (Math.min(Math.max(at, from), to) - from) * (width / (to - from));
  const seen = spans.filter(({ since, until }) => until > from && since < to);
  const rects = seen.map(({ since, until, verdict }) => {
    const left = x(since);
    // What lasted a minute is to be seen in a day.
    const wide = Math.max(x(until) - left, verdict === 'fail' ? 2 : 0.5);
    return html`<rect class="${verdict}" x="${left.toFixed(1)}" y="0" width="${wide.toFixed(1)}" height="10" />`;
  });
  return html`<svg
    class="${className}"
    viewBox="0 0 ${width} 10"
    preserveAspectRatio="none"
    role="img"
    aria-label="${told(seen, { from, to })}"
  >
    ${rects}
  </svg>`;
}

function told(spans: readonly Span[], { from, to }: Window): string {
  const bad = spans.filter(({ verdict }) => verdict === 'fail').length;
  const uptime = uptimeText(uptimeOf(spans, from, to));
  return `the last ${spell(to - from)}: ${uptime}${bad === 0 ? '' : `, failed ${bad === 1 ? 'once' : `${bad} times`}`}`;
}
