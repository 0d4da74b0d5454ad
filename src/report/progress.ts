/** The line a terminal shows while the run goes on. */
import type { Progress } from '../model/report.ts';
import { fit } from './layout.ts';

const barWidth = 20;

/** How far the run is, in one line of at most `width` columns; what matters least goes first when there is no room. */
export function progressLine({ done, total, failing, inFlight }: Progress, elapsedMs: number, width: number): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  const filled = Math.round(share * barWidth);
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]`;
  const leftMs = done > 0 && done < total ? (elapsedMs / done) * (total - done) : 0;
  const parts = [
    `${done}/${total} checks`,
    ...(failing > 0 ? [`${failing} failed`] : []),
    clock(elapsedMs),
    ...(leftMs > 0 ? [`about ${clock(leftMs)} left`] : []),
    `${inFlight} in flight`,
  ];
  for (let kept = parts.length; kept > 0; kept--) {
    const line = `${bar} ${parts.slice(0, kept).join('  ')}`;
    if (line.length <= width) return line;
  }
  return fit(parts[0] ?? '', width);
}

/** "0:07", "12:40", "1:02:03" */
function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

const two = (value: number): string => String(value).padStart(2, '0');
