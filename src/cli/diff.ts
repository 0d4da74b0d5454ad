/** xenreach diff OLD NEW: what newly fails, recovered, changed, came and went between two saved reports. */
import { changesBetween } from '../judge/changes.ts';
import { readReport } from '../load/report.ts';
import { UsageError } from '../model/errors.ts';
import { changesFormats, renderChanges } from '../report/changes.ts';
import type { Command } from './command.ts';
import { oneOf } from './options.ts';
import { say } from './streams.ts';

export const diff: Command = {
  about: 'what changed between two saved JSON reports; exit 1 when a row newly fails',
  usage: 'OLD NEW',
  options: ['format', 'quiet', 'help'],

  async run({ values, positionals }) {
    const format = oneOf(values.format ?? 'text', 'format', changesFormats);
    const [older, newer, ...rest] = positionals;
    if (older === undefined || newer === undefined || rest.length > 0)
      throw new UsageError('diff takes two reports: xenreach diff OLD.json NEW.json');
    const [was, now] = [readReport(older), readReport(newer)];
    if (was.spec.id !== now.spec.id)
      throw new UsageError(
        `${older} is of spec ${was.spec.id}, ${newer} of ${now.spec.id}: they have no rows to compare`,
      );
    const changes = changesBetween(was, now);
    if (!values.quiet || changes.rows.length > 0) say(renderChanges(changes, { was, now }, format));
    return changes.rows.some(({ kind }) => kind === 'newly-failing') ? 1 : 0;
  },
};
