/**
 * Standard output and standard error. Nothing is written to a terminal or a log but through here, escaped. What goes wrong
 * with them (a full disk, a reader that went away) ends in a sentence, never in an exception.
 */
import { lines } from '../report/escape.ts';
import { troubleText } from './trouble.ts';

let lost: unknown;

/** From now on an error of either stream is kept instead of thrown. */
export function watchStreams(): void {
  if (process.stdout.listeners('error').includes(keep)) return;
  process.stdout.on('error', keep);
  // Who closed standard error wants no news.
  process.stderr.on('error', () => undefined);
}

function keep(error: Error): void {
  lost ??= error;
}

/** A report, which its reporter has escaped. */
export function writeOut(text: string): void {
  process.stdout.write(text);
}

/** Lines for a person. */
export function say(text: string): void {
  writeOut(lines(text));
}

export const complain = (text: string): void => writeError(lines(`xenreach: ${text.trimEnd()}\n`));

/** What is escaped already: a line of the log. */
export function writeError(text: string): void {
  process.stderr.write(text);
}

/** What a slow reader has not taken yet is not piled up. */
export async function outDrained(): Promise<void> {
  const { stdout } = process;
  if (!stdout.writableNeedDrain) return;
  await new Promise<void>((resolve) => {
    const events = ['drain', 'error', 'close'] as const;
    const go = (): void => {
      for (const event of events) stdout.off(event, go);
      resolve();
    };
    for (const event of events) stdout.on(event, go);
  });
}

/** Whether what was written has left this process: a sentence when it has not. A reader that has seen enough (`| head`) is fine. */
export async function outTrouble(): Promise<string | null> {
  if (process.stdout.writableLength > 0) {
    await new Promise((resolve) => process.stdout.write('', resolve));
  }
  // An error is told a turn after the write that met it.
  await new Promise((resolve) => setImmediate(resolve));
  const isFine = lost === undefined || (lost instanceof Error && 'code' in lost && lost.code === 'EPIPE');
  return isFine ? null : `standard output cannot be written ${troubleText(lost)}`;
}
