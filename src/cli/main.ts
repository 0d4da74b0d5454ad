/** Command line to exit code: the only place that knows both. */
import { UsageError } from '../model/errors.ts';
import type { Command } from './command.ts';
import { commands } from './index.ts';
import { version } from './version.ts';

const usage = 2;

export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`xenreach: ${error.message.trimEnd()}\n`);
    return usage;
  }
}

async function dispatch([name, ...rest]: readonly string[]): Promise<number> {
  if (name === '--version') return say(`${version()}\n`);
  if (name === undefined) throw new UsageError(`a command is needed\n\n${await overview()}`);
  if (name === '--help' || name === '-h') return say(await overview());
  if (name === 'help') return say(rest[0] === undefined ? await overview() : await helpOn(rest[0]));
  const command = await commandNamed(name);
  const { parseLine } = await import('./options.ts');
  const line = parseLine(rest, command.options, name);
  return line.values.help ? say(await helpOn(name)) : command.run(line);
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

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}
