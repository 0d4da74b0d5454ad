/** Windows in which nobody is told: a cron line says when one begins, `for` how long it lasts. */
import type { Fault } from '../load/faults.ts';
import type { WatchFile } from './config.ts';

type Window = WatchFile['maintenance'][number];

/** Null where all rows are meant. */
export type QuietRows = ReadonlySet<string> | null;

/** croner is loaded where a site has windows at all. */
export async function maintenanceFaults(windows: readonly Window[]): Promise<Fault[]> {
  if (windows.length === 0) return [];
  const { Cron } = await import('croner');
  return windows.flatMap(({ cron, zone }, i): Fault[] => {
    const at = (key: string): Fault['path'] => ['maintenance', i, key];
    if (zone !== undefined && !isZone(zone))
      return [{ path: at('zone'), text: `"${zone}" is no time zone; write it like Europe/Berlin` }];
    try {
      const found = new Cron(cron, { paused: true }).nextRun();
      return found ? [] : [{ path: at('cron'), text: `"${cron}" never comes` }];
    } catch (error) {
      const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
      return [{ path: at('cron'), text: `"${cron}" is no cron line (${why}); write it like "0 2 * * sun"` }];
    }
  });
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** What tells, at any moment, which rows are under maintenance. */
export async function maintenanceOf(windows: readonly Window[]): Promise<(at: number) => readonly QuietRows[]> {
  if (windows.length === 0) return () => [];
  const { Cron } = await import('croner');
  const known = windows.map(({ cron, zone, ...window }) => ({
    ...window,
    line: new Cron(cron, { paused: true, ...(zone !== undefined && { timezone: zone }) }),
  }));
  return (at) =>
    known.flatMap(({ line, for: lastsMs, rows }): QuietRows[] => {
      // A window that began less than its length ago still lasts.
      const began = line.nextRun(new Date(at - lastsMs));
      return began && began.getTime() <= at ? [rows ? new Set(rows) : null] : [];
    });
}

export const isQuiet = (row: string, windows: readonly QuietRows[]): boolean =>
  windows.some((rows) => rows === null || rows.has(row));
