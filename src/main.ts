/** The program, from its sources. Built, it is started by src/built.ts. */
import { keepCompiled } from './compile-cache.ts';

keepCompiled();

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

void start();

/** No `await` at the top: a module with one could not be built as src/built.ts needs it. */
async function start(): Promise<void> {
  const { main } = await import('./cli/main.ts');
  process.exitCode = await main(process.argv.slice(2));
}
