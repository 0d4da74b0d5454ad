/**
 * npm run bench [-- NAME…] [--rounds N] [--scale X] [--json] [--compare FILE]
 * Every number beside its target. Nothing here gates on an absolute rate; see docs/performance.md for what to believe.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Benchmark, Line, Told } from './kit/benchmark.ts';
import { compared, savedFrom, wasText, type Saved } from './kit/compare.ts';
import { benchmarks as all } from './index.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    compare: { type: 'string' },
  },
});
const unknown = positionals.find((name) => !all.some((benchmark) => benchmark.name === name));
if (unknown !== undefined) {
  process.stderr.write(`no benchmark is called ${unknown}; there are ${all.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
if (values.list) {
  for (const { name, about } of all) process.stdout.write(`${name.padEnd(14)} ${about}\n`);
  process.exit(0);
}

// Read before anything runs: a wrong name must not cost twenty minutes.
const saved = values.compare === undefined ? [] : readSaved(values.compare);
const effort = { rounds: Number(values.rounds), scale: Number(values.scale) };
const told: object[] = [];
for (const benchmark of all) {
  if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue;
  const result = compared(benchmark.name, await benchmark.run(effort), saved);
  told.push(asJson(benchmark, result));
  if (!values.json) process.stdout.write(asText(benchmark, result));
}
if (values.json) process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);

function readSaved(file: string): Saved {
  try {
    return savedFrom(readFileSync(file, 'utf8'));
  } catch (error) {
    process.stderr.write(`--compare ${file}: ${(error as Error).message}\n`);
    process.exit(2);
  }
}

/** `figure`, `target` and `met` are those of the first figure and of all of them. */
function asJson({ name, about }: Benchmark, result: Told): object {
  if ('skipped' in result) return { name, figure: null, target: null, met: null, about, skipped: result.skipped };
  const [first] = result.figures;
  const met = result.figures.every((each) => each.met);
  return { name, figure: first?.figure ?? null, target: first?.target ?? null, met, about, ...result };
}

function asText({ name, about }: Benchmark, result: Told): string {
  const head = `\n${name}: ${about}\n`;
  if ('skipped' in result) return `${head}  skipped: ${result.skipped}\n`;
  const figures = result.figures.map(
    ({ of, figure, target, met, was }) =>
      `  ${met ? 'met   ' : 'MISSED'} ${of}: ${figure} (${target})${wasText(figure, was)}\n`,
  );
  return [head, ...(result.table ?? []).map(asRow), ...figures].join('');
}

function asRow({ name, rate, from, to, cpuPer10k, peakMiB, note, was }: Line): string {
  const columns = [
    name.padEnd(30),
    `${rate}/s`.padStart(10),
    `[${from}-${to}]`.padStart(16),
    `${cpuPer10k} CPU s/10k`.padStart(18),
    `${peakMiB} MiB`.padStart(9),
  ];
  const then = was === undefined ? '' : `  rate${wasText(rate, was.rate)}; CPU${wasText(cpuPer10k, was.cpuPer10k)}`;
  return `  ${columns.join(' ')}${note === '' ? '' : `  ${note}`}${then}\n`;
}
