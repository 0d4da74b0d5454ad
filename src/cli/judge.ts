/** xenreach judge: a saved report, or what the script of `plan --format sh` printed, judged by today's rules. */
import { judgeAgain } from '../check/again.ts';
import { probes } from '../check/registry.ts';
import { maxReportBytes, parseReport } from '../load/report.ts';
import { readFile } from '../load/read-file.ts';
import { parseSeen } from '../load/seen.ts';
import { bundledSpecs, loadSpec } from '../load/spec.ts';
import { UsageError } from '../model/errors.ts';
import type { Command } from './command.ts';
import { deliver } from './deliver.ts';
import { openSinks } from './outputs.ts';
import { renderingFrom, wishesFrom } from './wishes.ts';

export const judge: Command = {
  about: 'a saved report again, by the rules of today; or what the script of `plan --format sh` saw',
  usage: 'REPORT',
  options: ['mode', 'spec', 'format', 'output', 'fail-on', 'quiet', 'verbose', 'no-color', 'help'],

  async run({ values, positionals }) {
    const [file, ...rest] = positionals;
    if (file === undefined || rest.length > 0) throw new UsageError('judge takes one report: xenreach judge REPORT');
    const { mode, failOn } = wishesFrom(values);
    const text = new TextDecoder().decode(readFile(file, maxReportBytes));
    const saved = parseSeen(text, file, mode) ?? parseReport(text, file);
    const names = values.spec ?? saved.spec.id.split('+');
    const strange = names.find((name) => !bundledSpecs().includes(name));
    if (values.spec === undefined && strange !== undefined)
      throw new UsageError(
        `${file} was made with the spec "${strange}", which is not bundled; name its file: --spec FILE`,
      );
    const report = judgeAgain(saved, { spec: await loadSpec(names, probes), probes, mode, failOn });
    return deliver(report, openSinks(values), renderingFrom(values), { isTold: false });
  },
};
