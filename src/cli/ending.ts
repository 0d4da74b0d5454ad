/** What lasts until it is told to end: the first signal ends it in order, the second one at once. */
import { EarlySignals, endBy } from './early-signals.ts';

export interface Ending {
  readonly signal: AbortSignal;
  /** As a signal would. */
  end(): void;
  forget(): void;
}

export function endingSignals(): Ending {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) endBy(signal);
    stop.abort(`ended by ${signal}`);
  };
  const early = EarlySignals.take();
  const all = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;
  for (const signal of all) process.on(signal, onSignal);
  if (early !== undefined && early !== 'SIGHUP') onSignal(early);
  return {
    signal: stop.signal,
    end: () => stop.abort('it ends'),
    forget: () => {
      for (const signal of all) process.off(signal, onSignal);
    },
  };
}
