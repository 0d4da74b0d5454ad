/** The responders that a check is to use: from `--pair`, the site and XENREACH_PAIR, with what is to be said of them. */
import { namedFiles, type CheckSettings } from '../check/settings.ts';
import type { Pair } from '../model/pair.ts';
import type { Site } from '../model/site.ts';
import type { Prepared } from '../check/check.ts';
import type { Plan } from '../model/plan.ts';
import { listenHere } from '../pair/listen.ts';
import { openPairs } from '../pair/open.ts';
import type { Prober } from '../pair/prober.ts';
import type { Responder } from '../respond/responder.ts';
import type { Arguments } from './options.ts';
import { complain } from './streams.ts';
import { wishesFrom } from './wishes.ts';

export interface PairsInUse {
  readonly prober: Prober;
  /** What was found out about the responders themselves. */
  told(): readonly string[];
  /** Opens what rows want here of the other ends (`--both`): the plan with those rows in it. */
  listen(prepared: Prepared, values: Arguments): Promise<Plan>;
  close(): Promise<void>;
}

interface Further {
  /** Of XENREACH_PAIR. */
  readonly content: string;
  /** Of responders of our own. */
  readonly own: readonly Pair[];
}

export function usePairs(values: Arguments, site: Site, { run }: CheckSettings, further: Further): PairsInUse {
  const { timeoutMs } = run;
  const { prober, ends, warnings } = openPairs(
    { files: values.pair ?? [], named: site.pairs ?? [], folders: namedFiles(wishesFrom(values), site), ...further },
    { timeoutMs },
  );
  if (!values.quiet) warnings.forEach(complain);
  let responder: Responder | undefined;
  return {
    prober,
    listen: async (prepared) => {
      const opened = await listenHere(prober, ends, { ...prepared, site, probes: run.probes });
      ({ responder } = opened);
      for (const line of opened.told) complain(line);
      return opened.plan;
    },
    close: async () => responder?.close(),
    told: () => [
      ...standInText(prober.standIns),
      ...prober.unused.map(
        ({ pair }) =>
          `the pair of ${pair.host} (${pair.addresses.join(', ')}) was not used: no check of this run goes to a port that it names`,
      ),
      ...prober.silent.map(
        (address) =>
          `the responder on ${address} could not be asked: none of its ports answered. Has it ended, or is all that it holds blocked? What it prints at its end can be joined: xenreach merge`,
      ),
    ],
  };
}

const standInText = (rows: readonly string[]): string[] =>
  rows.length === 0 ? [] : [`proven by a stand-in, in place of services that answer nobody: ${rows.join(', ')}`];
