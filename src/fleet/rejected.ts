/** What came over the bus and was no good, for whoever wants to know why: the last hundred, beside the history. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Message } from './bus.ts';
import { writeFileWhole } from './files.ts';

const most = 100;
const mostBytes = 64 * 1024;

/** A first line that says what it is and why it was rejected, then its bytes as they came. */
export function putAside(
  folder: string,
  { subject, data, at }: Pick<Message, 'subject' | 'data' | 'at'>,
  why: string,
): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const head = `${JSON.stringify({ subject, at: new Date(at).toISOString(), why, bytes: data.length })}\n`;
    const name = `${String(at).padStart(15, '0')}-${subject.replaceAll(/[^a-z0-9.-]/g, '_').slice(0, 150)}`;
    writeFileWhole(join(folder, name), Buffer.concat([Buffer.from(head), data.subarray(0, mostBytes)]), 0o600);
    for (const old of readdirSync(folder).toSorted().slice(0, -most)) rmSync(join(folder, old), { force: true });
  } catch {
    // It was told in the log; a full disk takes no more of it.
  }
}
