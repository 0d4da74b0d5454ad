/** Runs xenreach on a terminal of its own, with `script` of util-linux, and types what it is told to when it is asked. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { patienceMs } from './patience.ts';

export interface OnTerminal {
  readonly exitCode: number | null;
  /** Standard output and error, as they stand on the terminal. */
  readonly shown: string;
}

/** `question`: what the program asks; `typed`: the keys that it gets for it. */
export async function typeAtPrompt(args: readonly string[], question: string, typed: string): Promise<OnTerminal> {
  const command = [process.execPath, resolve('src/main.ts'), ...args].map((word) => `'${word}'`).join(' ');
  const { XENREACH_XAPI_PASSWORD: _, ...env } = process.env;
  const child = spawn('script', ['-qec', command, '/dev/null'], { env, timeout: patienceMs, killSignal: 'SIGKILL' });
  let shown = '';
  let isAnswered = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    if (isAnswered || !shown.includes(question)) return;
    isAnswered = true;
    child.stdin.write(typed);
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, shown };
}
