/** The parsed command line, taken apart once: how to run, which rows, and how to show it. */
import type { Choice } from '../check/select.ts';
import type { Wishes } from '../check/settings.ts';
import { failOnChoices, type FailOn } from '../judge/report.ts';
import { readReport } from '../load/report.ts';
import { UsageError } from '../model/errors.ts';
import type { RenderOptions } from '../model/report.ts';
import { modes } from '../model/verdict.ts';
import { durationMs, oneOf, wholeNumber, type Arguments, type OptionName } from './options.ts';

export function wishesFrom(values: Arguments): Wishes {
  const number = (
    name: 'concurrency' | 'per-host' | 'rate' | 'retries',
    from: number,
    to: number,
  ): number | undefined => given(values[name], (text) => wholeNumber(text, name, from, to));
  return {
    concurrency: number('concurrency', 1, 65_536),
    perHost: number('per-host', 1, 65_536),
    rate: number('rate', 1, 1_000_000),
    retries: number('retries', 0, 10),
    timeoutMs: durationOf(values, 'timeout'),
    family: given(values.family, (text) => oneOf(text, 'family', ['4', '6', 'any'])),
    sourceAddress: values['source-address'],
    proxy: values.proxy,
    ca: values.ca,
    allowFiles: values['allow-files'],
    mode: given(values.mode, (text) => oneOf(text, 'mode', modes)),
    failOn: failOnFrom(values),
    baseline: given(values.baseline, readReport),
  };
}

function failOnFrom(values: Arguments): FailOn | undefined {
  const failOn = given(values['fail-on'], (text) => oneOf(text, 'fail-on', failOnChoices));
  if (failOn === 'new' && values.baseline === undefined)
    throw new UsageError('--fail-on new needs the report of an earlier run: add --baseline FILE');
  return failOn;
}

/** The whole run's, in milliseconds. */
export const deadlineFrom = (values: Arguments): number | undefined => durationOf(values, 'deadline');

/** At most so many milliseconds before the run. */
export const splayFrom = (values: Arguments): number => durationOf(values, 'splay') ?? 0;

export const choiceFrom = ({ as, row, section, role }: Arguments): Choice => ({
  as,
  rows: row,
  sections: section,
  roles: role,
});

/** How reports are to look; a terminal also has colours and a width. */
export type Rendering = (isTerminal: boolean) => RenderOptions;

export function renderingFrom(values: Arguments): Rendering {
  const { verbose = false, quiet = false } = values;
  const isColorful = !(values['no-color'] ?? false) && !process.env['NO_COLOR'];
  return (isTerminal) => ({
    color: isTerminal && isColorful,
    width: isTerminal ? Math.max(60, Math.min(process.stdout.columns || 80, 100)) : 80,
    verbose,
    quiet,
  });
}

const durationOf = (values: Arguments, name: ('timeout' | 'deadline' | 'splay') & OptionName): number | undefined =>
  given(values[name], (text) => durationMs(text, name));

const given = <T>(text: string | undefined, parse: (text: string) => T): T | undefined =>
  text === undefined ? undefined : parse(text);
