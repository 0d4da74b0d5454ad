/** The known word that was probably meant: for unknown roles, rows, facts, probes, keys and options alike. */

/** The nearest of `known` when it is close enough to have been meant, as a whole or by some of its parts. */
export function nearest(word: string, known: Iterable<string>): string | null {
  if (word.length > 64) return null;
  const words = [...known];
  return closest(word, words, (candidate) => [candidate]) ?? closest(word, words, partsOf);
}

function closest(word: string, known: readonly string[], spellings: (candidate: string) => string[]): string | null {
  let best: string | null = null;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    for (const spelling of spellings(candidate)) {
      if (Math.abs(spelling.length - word.length) >= least) continue;
      const distance = editDistance(word.toLowerCase(), spelling.toLowerCase());
      if (distance < least) [best, least] = [candidate, distance];
    }
  }
  return best;
}

/** "citrix-license-server" is also "citrix-license", "license-server" and "license"; short parts say too little. */
function partsOf(candidate: string): string[] {
  const parts = candidate.split('-').slice(0, 8);
  const runs = parts.flatMap((_, from) => parts.slice(from).map((__, length) => parts.slice(from, from + length + 1)));
  return runs.map((run) => run.join('-')).filter((run) => run.length > 3 && run !== 'server');
}

/** The end of a sentence that complains about `word`: the nearest known one, or all there are. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const words = [...known];
  const near = nearest(word, words);
  if (near !== null) return `; did you mean "${near}"?`;
  return words.length === 0 ? '' : `; known: ${words.join(', ')}`;
}

/** The same, with all there are in either case. */
export function didYouMeanOf(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === null ? didYouMean(word, known) : `; did you mean "${near}"? Known: ${known.join(', ')}`;
}

/** Insertions, deletions, replacements and swapped neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
