/** xenreach merge: reports of several vantages as one, in which each row is judged by those that could check it. */
import { createHash } from 'node:crypto';
import { isReceipts, receiptsFrom } from '../load/receipts.ts';
import type { Receipts } from '../model/pair.ts';
import { maxReportBytes, parseJson, reportFrom } from '../load/report.ts';
import { readFile } from '../load/read-file.ts';
import { UsageError } from '../model/errors.ts';
import type { MergeInput } from '../merge/part.ts';
import { mergeReports } from '../merge/merge.ts';
import type { Command } from './command.ts';
import { deliver } from './deliver.ts';
import { ageMs } from './options.ts';
import { openSinks } from './outputs.ts';
import { complain } from './streams.ts';
import { renderingFrom, wishesFrom } from './wishes.ts';

/** Clocks that differ by less are nobody's trouble. */
const skewMs = 300_000;

export const merge: Command = {
  about: 'reports of several vantages as one: each row by those that could check it; exit codes as of check',
  usage: 'REPORT... [RECEIPTS...]',
  options: ['max-age', 'format', 'output', 'fail-on', 'baseline', 'quiet', 'verbose', 'no-color', 'help'],

  async run({ values, positionals }) {
    const { failOn, baseline } = wishesFrom(values);
    const maxAgeMs = ageMs(values['max-age'] ?? '24h', 'max-age');
    if (positionals.length === 0)
      throw new UsageError('merge takes reports, as JSON: xenreach merge xs1.json xs2.json');
    const given = [...new Set(positionals)].map(readInput);
    const inputs = given.flatMap((each) => ('report' in each ? each : []));
    const receipts = given.flatMap((each) => ('report' in each ? [] : each));
    const now = Date.now();
    for (const { file, report } of inputs)
      if (Date.parse(report.startedAt) > now + skewMs)
        complain(`${file}: began at ${report.startedAt}, which is still to come here: one of the two clocks is wrong`);
    const report = mergeReports(inputs, { now, maxAgeMs, failOn, baseline, receipts });
    return deliver(report, openSinks(values), renderingFrom(values), { isTold: false });
  },
};

/** What it is it says itself. */
function readInput(file: string): MergeInput | Receipts {
  const bytes = readFile(file, maxReportBytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const value = parseJson(bytes, file);
  return isReceipts(value) ? receiptsFrom(value, file) : { file, sha256, report: reportFrom(value, file) };
}
