/** Port numbers as people write them. */

/** "139, 445, 6910-6930": each once, in order, three and more in a row as a range. */
export function portRuns(ports: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const port of [...new Set(ports)].toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && port === last[1] + 1) last[1] = port;
    else runs.push([port, port]);
  }
  return runs
    .flatMap(([from, to]) => (to - from < 2 ? [...new Set([from, to])].map(String) : [`${from}-${to}`]))
    .join(', ');
}

/** How many ports these entries of a spec are, at most: 443, "6910-6930", "dynamic". */
export function countPorts(entries: readonly (number | string)[]): number {
  return entries.reduce<number>((sum, entry) => {
    const [from = 0, to = from] = typeof entry === 'number' || entry === 'dynamic' ? [] : entry.split('-').map(Number);
    return sum + Math.max(1, to - from + 1);
  }, 0);
}
