/**
 * Signals that come while the program is still being loaded: the first is kept for the run that is about to begin, which
 * then ends with its report; a second one ends the process at once.
 */

/** A terminal that hangs up and an administrator who asks for a core file want no half-written report either. */
export const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

let came: NodeJS.Signals | undefined;

function onSignal(signal: NodeJS.Signals): void {
  if (came !== undefined) endBy(signal);
  came = signal;
}

export const EarlySignals = {
  watch(): void {
    for (const signal of endingSignals) process.on(signal, onSignal);
  },

  /** The one that came, and no more of them: whoever asks watches for itself from now on. */
  take(): NodeJS.Signals | undefined {
    for (const signal of endingSignals) process.off(signal, onSignal);
    return came;
  },
};

/** As if nobody had caught it. `node:os` is loaded for this alone, not at every start. */
export function endBy(signal: NodeJS.Signals): never {
  const { constants } = process.getBuiltinModule('node:os');
  process.exit(128 + constants.signals[signal]);
}
