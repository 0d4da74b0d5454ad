/** A run beside an earlier one of the same benchmarks, as `npm run bench -- --json` printed it. */
import * as v from 'valibot';
import type { Figure, Line, Told } from './benchmark.ts';

const Saved = v.array(
  v.object({
    name: v.string(),
    figures: v.optional(v.array(v.object({ of: v.string(), figure: v.number() })), []),
    table: v.optional(v.array(v.object({ name: v.string(), rate: v.number(), cpuPer10k: v.number() })), []),
  }),
);

/** Of each benchmark, what it told then. */
export type Saved = v.InferOutput<typeof Saved>;

/** Throws an Error that says what the file is not. npm's own lines before it are passed over. */
export function savedFrom(text: string): Saved {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\s*(?:> .*\n)+/, ''));
  } catch {
    throw new Error('it is not JSON');
  }
  const parsed = v.safeParse(Saved, json);
  if (!parsed.success) throw new Error('it is not what `npm run bench -- --json` prints');
  return parsed.output;
}

/** The same with `was` at every figure and line that the saved run has too. */
export function compared(name: string, told: Told, saved: Saved): Told {
  const then = saved.find((each) => each.name === name);
  if (then === undefined || 'skipped' in told) return told;
  const figures = told.figures.map((each): Figure => {
    const was = then.figures.find(({ of }) => of === each.of)?.figure;
    return was === undefined ? each : { ...each, was };
  });
  if (told.table === undefined) return { figures };
  const table = told.table.map((line): Line => {
    const was = then.table.find((each) => each.name === line.name);
    return was === undefined ? line : { ...line, was: { rate: was.rate, cpuPer10k: was.cpuPer10k } };
  });
  return { figures, table };
}

/** ", was 0.71 (+3 %)", or nothing where there is no earlier one. */
export function wasText(now: number, was: number | undefined): string {
  if (was === undefined) return '';
  if (was === 0) return ', was 0';
  const percent = Math.round((now / was - 1) * 100) || 0;
  return `, was ${was} (${percent >= 0 ? '+' : '−'}${Math.abs(percent)} %)`;
}
