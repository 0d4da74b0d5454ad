/** Command line to exit code: the only place that knows both. */
import { UsageError } from '../model/errors.ts';
import type { Command } from './command.ts';
import { commands } from './index.ts';
import { complain, outTrouble, say, watchStreams } from './streams.ts';
import { isSystemError } from './trouble.ts';
import { version } from '../load/version.ts';

/** 70 is EX_SOFTWARE of sysexits.h: never one of the codes that mean something about the site. */
const codes = { fine: 0, usage: 2, trouble: 3, defect: 70 } as const;

export async function main(argv: readonly string[]): Promise<number> {
  watchStreams();
  try {
    const code = await dispatch(argv);
    const unread = await outTrouble();
    if (unread === null || code !== codes.fine) return code;
    complain(unread);
    return codes.trouble;
  } catch (error) {
    return await ended(error, argv);
  }
}

/** What nobody caught: the sentence, and the exit code that goes with it. */
export async function ended(error: unknown, argv: readonly string[] = process.argv): Promise<number> {
  const code = error instanceof UsageError ? codes.usage : isSystemError(error) ? codes.trouble : codes.defect;
  const text = code === codes.defect ? defectText(error) : error instanceof Error ? error.message : String(error);
  complain(text);
  // To a monitoring plugin's caller 2 is a critical service: such a format has words and a code for our own trouble.
  const { reporters } = await import('../report/index.ts');
  const formats = standardFormats(argv);
  const convention = Object.entries(reporters).find(
    ([name, reporter]) => reporter.convention && formats.includes(name),
  )?.[1].convention;
  if (!convention) return code;
  say(convention.trouble(text));
  return convention.troubleCode;
}

function defectText(error: unknown): string {
  const [what = '', where = ''] = (error instanceof Error ? (error.stack ?? error.message) : String(error)).split(
    /\n\s*at /,
  );
  return `a defect of xenreach itself: ${what}${where && ` (${where})`}; please report it`;
}

/** What standard output was to get, also where the rest of the line is wrong. */
const standardFormats = (argv: readonly string[]): string[] =>
  argv.flatMap((word, i) => {
    const [, format] =
      /^--(?:format=|output=(?=[a-z]+=-$))([a-z]+)(?:=-)?$/.exec(
        word.startsWith('--') ? word : `${argv[i - 1]}=${word}`,
      ) ?? [];
    return format === undefined ? [] : [format];
  });

async function dispatch([name, ...rest]: readonly string[]): Promise<number> {
  if (name === '--version') return print(`${version()}\n`);
  if (name === undefined) throw new UsageError(`a command is needed\n\n${await overview()}`);
  if (name === '--help' || name === '-h') return print(await overview());
  if (name === 'help') return print(rest[0] === undefined ? await overview() : await helpOn(rest[0]));
  const command = await commandNamed(name);
  const { parseLine } = await import('./options.ts');
  const line = parseLine(rest, command.options, name);
  return line.values.help ? print(await helpOn(name)) : command.run(line);
}

async function commandNamed(name: string): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load) return load();
  const { didYouMean } = await import('../load/nearest.ts');
  throw new UsageError(
    `unknown command "${name}"${didYouMean(name, Object.keys(commands))}; xenreach --help lists them`,
  );
}

async function overview(): Promise<string> {
  const help = await import('./help.ts');
  const loaded = await Promise.all(Object.entries(commands).map(async ([name, load]) => [name, await load()] as const));
  return help.overview(Object.fromEntries(loaded));
}

async function helpOn(name: string): Promise<string> {
  const { helpFor } = await import('./help.ts');
  return helpFor(name, await commandNamed(name));
}

function print(text: string): number {
  say(text);
  return codes.fine;
}
