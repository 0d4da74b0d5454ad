/**
 * Where reports go: standard output, and files that appear whole or not at all. What can be known is checked before
 * anything is sent. A file that is there keeps its mode and owner, a link leads to its target, and a device or a pipe is
 * written to, never replaced. Later trouble of one (a full disk, a vanished folder) is its own, and the others do not care.
 */
import { fstatSync, statSync, type Stats } from 'node:fs';
import { didYouMeanOf } from '../load/nearest.ts';
import { UsageError } from '../model/errors.ts';
import { defaultFormat, reporters, type Format } from '../report/index.ts';
import { oneOf, type Arguments, type OptionName } from './options.ts';
import { openFile, openStream, type Target } from './targets.ts';
import { writeOut } from './streams.ts';
import { troubleText } from './trouble.ts';

export interface Sink {
  readonly format: Format;
  readonly isTerminal: boolean;
  /** What went wrong, in a sentence; from then on nothing is written. None of the three methods throws. */
  readonly trouble: string | null;
  write(text: string): void;
  /** Makes the file appear under its name; without this it never does. */
  commit(): void;
  discard(): void;
}

// The keys of an object literal are its type's keys.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const formats = Object.keys(reporters) as Format[];

/** Discarded when the process ends before its time, whatever ends it. */
const open = new Set<Sink>();
let isWatching = false;

/** Standard output first, then each `--output`. */
export function openSinks(values: Arguments): Sink[] {
  const targets = (values.output ?? []).map(parseTarget);
  const twice = targets.find((target, i) => targets.findIndex(({ file }) => file === target.file) !== i);
  if (twice) throw new UsageError(`--output names ${twice.file} twice`);
  const standard = targets.find(({ file }) => file === '-');
  if (standard && values.format !== undefined) {
    throw new UsageError(
      `--output ${standard.format}=- is a second report on standard output, which --format ${values.format} has; give one a file`,
    );
  }
  const sinks: Sink[] = [standardOutput(standard?.format ?? oneOf(values.format ?? defaultFormat, 'format', formats))];
  if (!isWatching) process.on('exit', discardSinks);
  isWatching = true;
  try {
    for (const target of targets) if (target !== standard) sinks.push(fileSink(target.format, target.file));
  } catch (error) {
    discardSinks();
    throw error;
  }
  return sinks;
}

/** What was not committed never appears. */
export function discardSinks(): void {
  for (const sink of open) sink.discard();
}

function parseTarget(text: string): { format: Format; file: string } {
  const equals = text.indexOf('=');
  const format = equals < 0 ? text : text.slice(0, equals);
  const file = equals < 0 ? '' : text.slice(equals + 1);
  const known = formats.find((name) => name === format);
  if (!known && equals < 0)
    throw new UsageError(`--output ${text} is no FORMAT=FILE, such as json=${text}; formats: ${formats.join(', ')}`);
  if (!known) throw new UsageError(`--output ${text}: unknown format "${format}"${didYouMeanOf(format, formats)}`);
  if (file === '') throw new UsageError(`--output ${text} names no file; write --output ${known}=FILE`);
  return { format: known, file };
}

/** What becomes of it is asked of the stream at the end (streams.ts). */
function standardOutput(format: Format): Sink {
  return {
    format,
    isTerminal: process.stdout.isTTY,
    trouble: null,
    write: writeOut,
    commit: () => undefined,
    discard: () => undefined,
  };
}

function fileSink(format: Format, file: string): Sink {
  const target = openTarget(file, 'output');
  let trouble: string | null = null;
  const attempt = (act: () => void): void => {
    if (trouble !== null) return;
    try {
      act();
    } catch (error) {
      trouble = `the ${format} report cannot be written to ${file} ${troubleText(error)}`;
      sink.discard();
    }
  };
  const sink: Sink = {
    format,
    isTerminal: false,
    get trouble() {
      return trouble;
    },
    write: (text) => attempt(() => target.write(Buffer.from(text))),
    commit: () => {
      attempt(() => target.commit());
      open.delete(sink);
    },
    discard: () => {
      open.delete(sink);
      target.discard();
    },
  };
  open.add(sink);
  return sink;
}

/** The file of an option, which can be written, or an error that names the option. */
export function openTarget(file: string, option: OptionName): Target {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw new UsageError(`--${option}: ${file} is a folder; name a file in it`);
    if (found?.isBlockDevice()) throw new UsageError(`--${option}: ${file} is a disk; name a file`);
    const own = found && [1, 2].find((fd) => isSameFile(found, fstatSync(fd)));
    if (own !== undefined) return openStream(own, file);
    return found && !found.isFile() ? openStream(null, file) : openFile(file, found);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `--${option}: ${file} cannot be written ${troubleText(error)}; name a place that you can write to`,
      { cause: error },
    );
  }
}

const isSameFile = (one: Stats, other: Stats): boolean => one.ino === other.ino && one.dev === other.dev;
