/** "99.93 % good of 97.20 % watched" */
import type { Uptime } from '../history/ask.ts';
import { percent } from './markup.ts';

export const uptimeText = ({ good, watched }: Uptime): string =>
  good === null ? 'not watched' : `${percent(good)} good of ${percent(watched)} watched`;
