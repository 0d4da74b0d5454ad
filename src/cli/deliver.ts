/** A finished report, to each place that wants it. The files come first, so that standard output can tell of them. */
import type { Report } from '../model/report.ts';
import { reporters } from '../report/index.ts';
import type { Sink } from './outputs.ts';
import { complain, outDrained, outTrouble, say } from './streams.ts';
import type { Rendering } from './wishes.ts';

const incomplete = 3;

/** Writes every report and resolves with the exit code: a report that nobody gets is never a success. */
export async function deliver(
  report: Report,
  [standard, ...files]: readonly Sink[],
  rendering: Rendering,
  { isTold = report.exitCode !== null }: { readonly isTold?: boolean } = {},
): Promise<number> {
  const toSink = (sink: Sink): Promise<void> => deliverTo(sink, report, rendering, isTold);
  for (const file of files) await toSink(file);
  const lost = files.flatMap(({ trouble }) => trouble ?? []);
  lost.forEach(complain);
  const convention = standard && report.exitCode !== null ? reporters[standard.format].convention : undefined;
  const worst = convention?.exitCode(report) ?? 0;
  const isUnknown = convention !== undefined && lost.length > 0 && worst < 2;
  if (standard && isUnknown) standard.write(convention.trouble(lost.join('; ')));
  else if (standard) await toSink(standard);

  const unread = await outTrouble();
  if (unread !== null) complain(unread);
  if (convention) return unread !== null || isUnknown ? convention.troubleCode : worst;
  const isLost = lost.length > 0 || unread !== null;
  return isLost && report.exitCode !== 1 ? incomplete : (report.exitCode ?? 0);
}

/** There is no report and will be none, for no fault of the site's: the sentence, and the exit code that goes with it. */
export function deliverNothing(why: string, format: string | undefined): number {
  complain(why);
  const convention = Object.entries(reporters).find(([name]) => name === format)?.[1].convention;
  if (convention) say(convention.trouble(why));
  return convention?.troubleCode ?? incomplete;
}

/** `isTold`: line by line, to who wants it so; nothing happened in a plan or in a report that is judged again. */
async function deliverTo(sink: Sink, report: Report, rendering: Rendering, isTold: boolean): Promise<void> {
  const reporter = reporters[sink.format];
  if (reporter.pieces) {
    for (const piece of reporter.pieces(report)) {
      sink.write(piece);
      await outDrained();
    }
  } else if (!reporter.stream || !isTold) sink.write(reporter.render(report, rendering(sink.isTerminal)));
  sink.commit();
}
