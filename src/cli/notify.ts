/** xenreach notify test: one marked event through every notifier of the config, to see that each arrives. */
import { hostname } from 'node:os';
import { UsageError } from '../model/errors.ts';
import { testEvent } from '../watch/event.ts';
import { readConfig } from '../watch/load-config.ts';
import { nameOf, send } from '../watch/notify/outbox.ts';
import type { Command } from './command.ts';
import { say } from './streams.ts';

export const notify: Command = {
  about: 'test: one marked event through every notifier; exit 1 if one fails',
  usage: 'test',
  options: ['config', 'help'],

  async run({ values, positionals }) {
    if (positionals.length !== 1 || positionals[0] !== 'test')
      throw new UsageError('notify does one thing: xenreach notify test');
    const { notifiers, path } = await readConfig(values.config);
    if (notifiers.length === 0)
      throw new UsageError(`${path ?? 'there is no config, so it'} names nobody to tell; add notify:`);
    const at = Date.now();
    const sent = notifiers.map(async (notifier) => {
      try {
        await send(notifier, [testEvent('test', hostname(), at)], at);
        return `ok    ${nameOf(notifier)}`;
      } catch (error) {
        return `FAIL  ${nameOf(notifier)}: ${error instanceof Error ? error.message : String(error)}`;
      }
    });
    const lines = await Promise.all(sent);
    say(lines.map((line) => `${line}\n`).join(''));
    return lines.some((line) => line.startsWith('FAIL')) ? 1 : 0;
  },
};
