/** Logs go to standard error, as JSON lines, and only when asked for; defects are told in any case. */
import { json } from '../report/escape.ts';
import { oneOf, type Arguments } from './options.ts';
import { complain, writeError } from './streams.ts';

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export interface Log {
  debug(line: () => readonly [fields: object, text: string]): void;
  warn(text: string): void;
  error(fields: object, text: string): void;
}

export async function openLog(values: Arguments): Promise<Log> {
  const level = values['log-level'] === undefined ? undefined : oneOf(values['log-level'], 'log-level', levels);
  if (level === undefined) {
    const warn = values.quiet ? (): void => undefined : complain;
    return { debug: () => undefined, warn, error: (_fields, text) => complain(text) };
  }
  const { pino } = await import('pino');
  // A line is JSON, and stays the same JSON when what cannot be seen in it is escaped.
  const logger = pino({ level, base: null }, { write: (line: string) => writeError(`${json(JSON.parse(line))}\n`) });
  return {
    debug: (line) => {
      if (logger.isLevelEnabled('debug')) logger.debug(...line());
    },
    warn: (text) => logger.warn(text),
    error: (fields, text) => logger.error(fields, text),
  };
}
