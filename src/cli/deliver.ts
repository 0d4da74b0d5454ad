/** A finished report, to each place that wants it. The files come first, so that a monitoring plugin's line can tell of them. */
import type { Report } from '../model/report.ts';
import { nagiosExitCode, nagiosTrouble } from '../report/nagios.ts';
import { reporters } from '../report/index.ts';
import type { Arguments } from './options.ts';
import type { Sink } from './outputs.ts';
import { complain, outTrouble } from './streams.ts';

const incomplete = 3;

/** Writes every report and resolves with the exit code: a report that nobody gets is never a success. */
export async function deliver(
  report: Report,
  [standard, ...files]: readonly Sink[],
  values: Arguments,
): Promise<number> {
  for (const sink of files) deliverTo(sink, report, values);
  const lost = files.flatMap(({ trouble }) => trouble ?? []);
  lost.forEach(complain);
  const isPlugin = standard?.format === 'nagios' && report.exitCode !== null;
  const isUnknown = isPlugin && lost.length > 0 && nagiosExitCode(report) < 2;
  if (standard && isUnknown) standard.write(nagiosTrouble(lost.join('; ')));
  else if (standard) deliverTo(standard, report, values);

  const unread = await outTrouble();
  if (unread !== null) complain(unread);
  if (isPlugin) return unread !== null || isUnknown ? incomplete : nagiosExitCode(report);
  const isLost = lost.length > 0 || unread !== null;
  return isLost && report.exitCode !== 1 ? incomplete : (report.exitCode ?? 0);
}

function deliverTo(sink: Sink, report: Report, values: Arguments): void {
  const isStreamed = sink.format === 'ndjson' && report.exitCode !== null;
  if (!isStreamed) {
    const text = reporters[sink.format].render(report, {
      color: sink.isTerminal && !(values['no-color'] ?? false) && !process.env['NO_COLOR'],
      width: sink.isTerminal ? Math.max(60, Math.min(process.stdout.columns || 80, 100)) : 80,
      verbose: values.verbose ?? false,
      quiet: values.quiet ?? false,
    });
    sink.write(text);
  }
  sink.commit();
}
