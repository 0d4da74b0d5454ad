/** xenreach history: what the watch remembers, while it runs or after. */
import { existsSync } from 'node:fs';
import { UsageError } from '../model/errors.ts';
import { History } from '../watch/history/history.ts';
import { historyFormats, renderHistory } from '../watch/history/tell.ts';
import { readConfig } from '../watch/load-config.ts';
import { refuseWords } from './check.ts';
import type { Command } from './command.ts';
import { durationMs, oneOf } from './options.ts';
import { say } from './streams.ts';

export const history: Command = {
  about: 'what the watch remembers: spans of verdicts, gaps, and the share of good time',
  usage: '',
  options: ['config', 'row', 'since', 'format', 'help'],
  ownWords: { format: { value: 'text|json|csv', about: 'how it is told (default: text)' } },

  async run({ values, positionals }) {
    refuseWords(positionals, 'history');
    const format = oneOf(values.format ?? historyFormats[0], 'format', historyFormats);
    const sinceMs = durationMs(values.since ?? '24h', 'since', '4000d');
    const { historyFile } = await readConfig(values.config);
    if (!existsSync(historyFile))
      throw new UsageError(
        `${historyFile}: there is no history yet; xenreach watch writes it, or name its config: --config FILE`,
      );
    const opened = History.open(historyFile, { readOnly: true });
    if (!opened) throw new UsageError('this Node has no SQLite, so it cannot read a history; use Node 22.19, 24 or 26');
    try {
      const to = Date.now();
      say(renderHistory(opened, { from: to - sinceMs, to, rows: values.row ?? [] }, format));
      return 0;
    } finally {
      opened.close();
    }
  },
};
