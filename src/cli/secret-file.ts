/** A file that only its owner may read, whole or not at all. What stands there already is replaced, whatever its mode was. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../model/errors.ts';
import { troubleText } from './trouble.ts';

export function writeSecretFile(file: string, text: string): void {
  const random = Math.random().toString(36).slice(2).padEnd(12, '0');
  const temporary = join(dirname(file), `.${basename(file).slice(0, 40)}.${random}.tmp`);
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UsageError(`--pair-file: ${file} cannot be written ${troubleText(error)}`, { cause: error });
  }
}
