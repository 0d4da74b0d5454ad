/** Asks for a password on the terminal: it is not shown, not in a log, not in an argument. */
import { UsageError } from '../model/errors.ts';
import { writeError } from './streams.ts';

const [enter, newline, interrupt, end, backspace, erase] = ['\r', '\n', '\u0003', '\u0004', '\u007f', '\b'];
const maxLength = 1024;

/** Null without a terminal. */
export async function promptForSecret(question: string): Promise<string | null> {
  const { stdin } = process;
  if (!stdin.isTTY) return null;
  writeError(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  let typed = '';
  try {
    // A terminal with an encoding gives texts.
    for await (const chunk of stdin as AsyncIterable<string>) {
      for (const key of chunk) {
        if (key === enter || key === newline || key === end) return typed;
        if (key === interrupt) throw new UsageError('no password was given');
        if (key === backspace || key === erase) typed = typed.slice(0, -1);
        else if (typed.length < maxLength) typed += key;
      }
    }
    return typed;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    writeError('\n');
  }
}
