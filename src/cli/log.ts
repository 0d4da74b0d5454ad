/** Logs go to standard error, as JSON lines, and only when asked for; defects are told in any case. */
import { oneOf, type Arguments } from './options.ts';

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export interface Log {
  debug(line: () => readonly [fields: object, text: string]): void;
  error(fields: object, text: string): void;
}

export async function openLog(values: Arguments): Promise<Log> {
  const level = values['log-level'] === undefined ? undefined : oneOf(values['log-level'], 'log-level', levels);
  if (level === undefined) {
    return { debug: () => undefined, error: (_fields, text) => void process.stderr.write(`xenreach: ${text}\n`) };
  }
  // A transport would start a worker thread; a destination writes from here.
  const { pino } = await import('pino');
  const logger = pino({ level, base: null }, pino.destination({ fd: 2, sync: true }));
  return {
    debug: (line) => {
      if (logger.isLevelEnabled('debug')) logger.debug(...line());
    },
    error: (fields, text) => logger.error(fields, text),
  };
}
