/** A peer's clock beside this machine's: every protocol that tells the time is compared here, and told in the same words. */
import type { ProbeIo } from '../model/probe.ts';

/** The skew that Kerberos lets pass, and with it every member of a domain: RFC 4120 section 8.2. */
export const kerberosSkewMs = 5 * 60_000;

/** How far their clock is ahead of ours, in whole milliseconds; never -0. */
export const clockOffsetMs = (theirsMs: number, oursMs: number): number => Math.round(theirsMs - oursMs) + 0;

interface ClockLimits {
  readonly warnBeyondMs: number;
  /** A smaller difference, beyond this, is told and changes no verdict. */
  readonly noteBeyondMs?: number;
}

/** `tell` makes the sentence of the difference, such as "6 min". */
export function compareClocks(
  io: ProbeIo,
  offsetMs: number,
  { warnBeyondMs, noteBeyondMs = warnBeyondMs }: ClockLimits,
  tell: (difference: string) => string,
): void {
  const differenceMs = Math.abs(offsetMs);
  if (differenceMs > warnBeyondMs) io.warn(tell(duration(differenceMs)));
  else if (differenceMs > noteBeyondMs) io.note(tell(duration(differenceMs)));
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 10) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
