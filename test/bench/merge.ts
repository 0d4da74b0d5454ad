/** One picture of a pool: the reports of 64 hosts with 506 checks each, read, merged and written as JSON. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checksEach, poolHosts, writePoolReports } from '../support/pool-reports.ts';
import { atMost, linesOf, type Benchmark } from './kit/benchmark.ts';
import { contest, median } from './kit/contest.ts';
import { whyNot, xenreach } from './kit/tools.ts';

export const merge: Benchmark = {
  name: 'merge',
  about: 'reports of 64 hosts with 506 checks each as one: the whole process',
  async run({ rounds }) {
    const skipped = whyNot();
    if (skipped !== undefined) return { skipped };
    const folder = mkdtempSync(join(tmpdir(), 'xenreach-merge-'));
    const files = writePoolReports(folder);
    const age = ['--max-age', '9999d'];
    const runs = await contest({
      rounds,
      contenders: ['json', 'text'].map((format) => ({
        name: format,
        argv: [...xenreach(), 'merge', ...files, ...age, '--quiet', '--output', `${format}=${join(folder, 'all')}`],
      })),
    });
    rmSync(folder, { recursive: true });
    const json = runs.get('json') ?? [];
    return {
      figures: [
        atMost('64 reports of 506 checks as JSON: s', median(json.map(({ wallMs }) => wallMs)) / 1000, 2),
        atMost('the same: peak MiB', median(json.map(({ peakMiB }) => peakMiB)), 300),
      ],
      table: linesOf(runs, poolHosts * checksEach),
    };
  },
};
