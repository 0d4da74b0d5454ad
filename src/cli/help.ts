/** The help, from the tables of commands and options. */
import { defaultProduct } from '../load/default-spec.ts';
import type { Command } from './command.ts';
import { options } from './options.ts';

export function overview(commands: Readonly<Record<string, Command>>): string {
  const lines = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`);
  return [
    `xenreach checks a site against the published connectivity requirements of ${defaultProduct}, row by row.`,
    '',
    'Usage: xenreach COMMAND [OPTIONS]',
    '',
    ...lines,
    '',
    'xenreach COMMAND --help tells the options. Exit codes: 0 fine, 1 a row fails, 2 usage or site error, 3 incomplete.',
    '',
  ].join('\n');
}

export function helpFor(name: string, command: Command): string {
  const lines = command.options.map((option) => {
    const own = command.ownWords?.[option];
    const { about, type, ...entry } = { ...options[option], ...own };
    const value = type === 'string' && 'value' in entry ? ` ${entry.value}` : '';
    const short = 'short' in entry ? `, -${entry.short}` : '';
    const again = 'multiple' in entry && !own ? ' (repeatable)' : '';
    return `  ${`--${option}${short}${value}`.padEnd(32)} ${about}${again}`;
  });
  return [`xenreach ${name} ${command.usage}`.trimEnd(), `  ${command.about}`, '', ...lines, ''].join('\n');
}
