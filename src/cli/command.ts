/** What a command is: its options, its words, and what it does. The exit code is what `run` resolves with. */
import type { OptionName, ParsedLine } from './options.ts';

export interface Command {
  readonly about: string;
  /** What stands behind the command's name: `NAME HOST[:PORT]`. */
  readonly usage: string;
  readonly options: readonly OptionName[];
  /** Where an option means something else here than elsewhere: what its value is, and what it does. */
  readonly ownWords?: Readonly<Partial<Record<OptionName, { readonly value: string; readonly about: string }>>>;
  run(line: ParsedLine): Promise<number>;
}

export const reportOptions: readonly OptionName[] = [
  'format',
  'output',
  'fail-on',
  'baseline',
  'quiet',
  'verbose',
  'no-color',
  'no-progress',
  'log-level',
];

export const probeOptions: readonly OptionName[] = [
  'concurrency',
  'per-host',
  'rate',
  'timeout',
  'retries',
  'deadline',
  'proxy',
  'ca',
  'source-address',
  'family',
];

export const selectOptions: readonly OptionName[] = ['spec', 'as', 'mode', 'row', 'section', 'role'];
