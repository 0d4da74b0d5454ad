/** What specs and sites both have: words that must be known, and facts whose values must be of one kind. */
import { show, type Fault, type Path } from './faults.ts';
import { didYouMean } from './nearest.ts';

type Place = Pick<Fault, 'path' | 'atKey'>;

/** A fault when `word` is not among the known ones. */
export function unknownWord(kind: string, word: string, known: readonly string[], at: Place): Fault[] {
  if (known.includes(word)) return [];
  return [{ path: at.path, atKey: at.atKey ?? false, text: `unknown ${kind} ${show(word)}${didYouMean(word, known)}` }];
}

type Fact = string | number | boolean;

/** A fault when the value is of another kind than the fact's default. */
export function wrongKind(name: string, usual: Fact, value: Fact, path: Path): Fault[] {
  if (typeof value === typeof usual) return [];
  const kind = typeof usual === 'boolean' ? 'true or false' : typeof usual === 'number' ? 'a number' : 'text';
  return [{ path, text: `fact "${name}" must be ${kind}, not ${show(value)}` }];
}
