/** Command line to exit code: the only place that knows both. */
import { didYouMean } from '../load/nearest.ts';
import { UsageError } from '../model/errors.ts';
import { helpFor, overview } from './help.ts';
import { commands } from './index.ts';
import { parseLine } from './options.ts';
import { version } from './version.ts';

const usage = 2;

export async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  try {
    if (name === undefined) throw new UsageError(`a command is needed\n\n${overview(commands)}`);
    if (name === 'help' || name === '--help' || name === '-h') {
      const asked = name === 'help' ? rest[0] : undefined;
      const command = asked === undefined ? undefined : commandNamed(asked);
      process.stdout.write(command && asked !== undefined ? helpFor(asked, command) : overview(commands));
      return 0;
    }
    if (name === '--version') {
      process.stdout.write(`${version()}\n`);
      return 0;
    }
    const command = commandNamed(name);
    const line = parseLine(rest, command.options, name);
    if (line.values.help) {
      process.stdout.write(helpFor(name, command));
      return 0;
    }
    return await command.run(line);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`xenreach: ${error.message.trimEnd()}\n`);
    return usage;
  }
}

function commandNamed(name: string): (typeof commands)[string] {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command)
    throw new UsageError(
      `unknown command "${name}"${didYouMean(name, Object.keys(commands))}; xenreach --help lists them`,
    );
  return command;
}
