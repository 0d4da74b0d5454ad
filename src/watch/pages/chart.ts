/** How long an endpoint took to answer, an hour a point: the mean as a line, from least to most as a band. */
import { took } from '../../report/phrases.ts';
import type { Hour } from '../history/ask.ts';
import { html, nothing, type Html } from './markup.ts';
import type { Window } from './strip.ts';

const [width, height] = [600, 100];
const hourMs = 3_600_000;

export function chart(hours: readonly Hour[], { from, to }: Window): Html {
  if (hours.length === 0) return nothing;
  const top = Math.max(...hours.map(({ meanMs }) => meanMs)) * 2 || 1;
  const x = ({ hour }: Hour): number => Math.max(0, ((hour * hourMs - from) / (to - from)) * width);
  const y = (ms: number): number => height - (Math.min(ms, top) / top) * height;
  const point = (at: number, ms: number): string => `${at.toFixed(1)},${y(ms).toFixed(1)}`;
  const line = hours.map((hour, i) => `${isBroken(hours, i) ? 'M' : 'L'}${point(x(hour), hour.meanMs)}`).join('');
  const up = hours.map((hour) => point(x(hour), hour.mostMs));
  const down = hours.toReversed().map((hour) => point(x(hour), hour.leastMs));
  const mean =
    hours.reduce((sum, hour) => sum + hour.meanMs * hour.n, 0) / hours.reduce((sum, hour) => sum + hour.n, 0);
  const most = Math.max(...hours.map(({ mostMs }) => mostMs));
  const label = `mean ${took(mean)}, at most ${took(most)}`;
  return html`<svg
      class="chart"
      viewBox="0 0 ${width} ${height}"
      preserveAspectRatio="none"
      role="img"
      aria-label="${label}"
    >
      <path class="band" d="M${up.join('L')}L${down.join('L')}Z" />
      <path d="${line}" />
    </svg>
    <p class="legend">
      <span>${new Date(from).toISOString().slice(0, 10)}</span><span>${label}; the top is ${took(top)}</span
      ><span>${new Date(to).toISOString().slice(0, 10)}</span>
    </p>`;
}

/** Where hours are missing the line ends and begins again: nothing is made up in between. */
const isBroken = (hours: readonly Hour[], i: number): boolean => i === 0 || hours[i]!.hour - hours[i - 1]!.hour > 2;
