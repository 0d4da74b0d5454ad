/** The program, from its sources. Built, it is started by src/built.ts. */
import { EarlySignals } from './cli/early-signals.ts';
import { keepCompiled } from './compile-cache.ts';

// Before anything else is loaded: whoever interrupts a start wants a report, too.
EarlySignals.watch();

// Node would open a debugger on a port of this machine, to whoever may send this process a signal.
process.on('SIGUSR1', () => undefined);

// Built, it is kept already.
if (process.getBuiltinModule('node:module').getCompileCacheDir() === undefined) keepCompiled();

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => void endWith(error));
}

void start();

/** No `await` at the top: a module with one could not be built as src/built.ts needs it. */
async function start(): Promise<void> {
  const { main } = await import('./cli/main.ts');
  // What a peer or a library still holds open is nobody's business once everything is written.
  process.exit(await main(process.argv.slice(2)));
}

/** Nobody was there to catch it: what is written so far goes, and the process ends. */
async function endWith(error: unknown): Promise<never> {
  const { ended } = await import('./cli/main.ts');
  process.exit(await ended(error));
}
