/** The kernel's own counts and tables below /proc: text that may not be there. */
import { readFileSync } from 'node:fs';

export function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Of a file with two lines for each protocol: `TcpExt: name name …` and `TcpExt: 1 2 …`. 0 where it is not counted. */
export function counter(text: string, protocol: string, name: string): number {
  const [names = '', counts = ''] = text.split('\n').filter((line) => line.startsWith(`${protocol}: `));
  return Number(counts.split(' ')[names.split(' ').indexOf(name)] ?? 0) || 0;
}
