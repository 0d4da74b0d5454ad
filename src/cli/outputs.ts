/** Where reports go: standard output, and files that appear whole or not at all. Checked before anything is sent. */
import { accessSync, closeSync, constants, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { didYouMean } from '../load/nearest.ts';
import { UsageError } from '../model/errors.ts';
import { codeOf } from '../net/failure.ts';
import { reporters, type Format } from '../report/index.ts';
import { oneOf, type Arguments } from './options.ts';

export interface Sink {
  readonly format: Format;
  readonly isTerminal: boolean;
  write(text: string): void;
  /** Makes the file appear under its name; without this it never does. */
  commit(): void;
  discard(): void;
}

// The keys of an object literal are its type's keys.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const formats = Object.keys(reporters) as Format[];

function formatOf({ format = 'text' }: Arguments): Format {
  return oneOf(format, 'format', formats);
}

/** Standard output first, then each `--output`. */
export function openSinks(values: Arguments): Sink[] {
  const targets = (values.output ?? []).map(parseTarget);
  const twice = targets.find((target, i) => targets.findIndex(({ file }) => file === target.file) !== i);
  if (twice) throw new UsageError(`--output names ${twice.file} twice`);
  const sinks: Sink[] = [standardOutput(formatOf(values))];
  try {
    for (const { format, file } of targets) sinks.push(fileSink(format, file));
  } catch (error) {
    for (const sink of sinks) sink.discard();
    throw error;
  }
  return sinks;
}

function parseTarget(text: string): { format: Format; file: string } {
  const equals = text.indexOf('=');
  const format = equals < 0 ? text : text.slice(0, equals);
  const file = equals < 0 ? '' : text.slice(equals + 1);
  const known = formats.find((name) => name === format);
  if (!known)
    throw new UsageError(
      `--output ${text}: unknown format "${format}"${didYouMean(format, formats)}; it takes ${formats.join(', ')}`,
    );
  if (file === '') throw new UsageError(`--output ${text} names no file; write --output ${known}=FILE`);
  return { format: known, file };
}

function standardOutput(format: Format): Sink {
  return {
    format,
    isTerminal: process.stdout.isTTY,
    write: (text) => void process.stdout.write(text),
    commit: () => undefined,
    discard: () => undefined,
  };
}

function fileSink(format: Format, file: string): Sink {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.tmp`);
  const fd = openNew(file, temporary);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  return {
    format,
    isTerminal: false,
    write: (text) => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    },
    commit: () => {
      close();
      renameSync(temporary, file);
    },
    discard: () => {
      close();
      rmSync(temporary, { force: true });
    },
  };
}

function openNew(file: string, temporary: string): number {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`--output: ${file} is a folder; name a file in it`);
    accessSync(dirname(file), constants.W_OK);
    return openSync(temporary, 'wx', 0o644);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `--output: ${file} cannot be written (${codeOf(error) ?? String(error)}); is its folder there, and writable for you?`,
      {
        cause: error,
      },
    );
  }
}
