/** What the operator does over the bus: sends revisions, looks who is there, asks for rounds. */
import { spell } from '../model/duration.ts';
import { readFile } from '../load/read-file.ts';
import type { RowVerdict } from '../model/verdict.ts';
import { rowVerdicts } from '../model/verdict.ts';
import { connectBus, type Bus } from './bus.ts';
import { readSeed } from './files.ts';
import { readHeartbeat, verdictOf } from './heartbeat.ts';
import { keyOfSeed } from './keys.ts';
import { doSubject, inboxOf } from './layout.ts';
import { places, type Roster, type RosterAgent } from './roster.ts';

export async function operatorBus(folder: string, { url }: Roster): Promise<Bus> {
  const place = places(folder);
  const key = await keyOfSeed(readSeed(place.operatorKey), place.operatorKey);
  const ca = Buffer.from(readFile(place.authority)).toString('utf8');
  return connectBus({ url, ca, seed: key.seed, inbox: inboxOf.operator, name: 'operator' });
}

/** The revision is there for all who ask; those who are there are told to ask. */
export async function pushSite(bus: Bus, site: string, text: string, agents: readonly string[]): Promise<void> {
  await bus.putSite(site, text);
  await Promise.all(agents.map((agent) => bus.ask(doSubject(site, agent), Buffer.from('{"do":"look"}'))));
}

/** One agent, as its last sign of life says. */
export interface Standing {
  readonly site: string;
  readonly agent: string;
  readonly presence: 'present' | 'stale' | 'never heard of';
  readonly lastAgoMs: number | null;
  readonly verdicts: Readonly<Record<RowVerdict, number>> | null;
  readonly revision: number | null;
  readonly refused: string | null;
  /** Positive: its clock is ahead of the server's. */
  readonly skewMs: number | null;
  readonly version: string | null;
}

export async function standings(bus: Bus, { agents }: Roster): Promise<Standing[]> {
  const found: Standing[] = [];
  for (const each of agents) found.push(await standingOf(bus, each));
  return found;
}

async function standingOf(bus: Bus, { site, agent }: RosterAgent): Promise<Standing> {
  const sign = await bus.lastSign(site, agent);
  const beat = sign && readHeartbeat(sign.data);
  if (!sign || !beat) {
    const nothing = { lastAgoMs: null, verdicts: null, revision: null, refused: null, skewMs: null, version: null };
    return { site, agent, presence: 'never heard of', ...nothing };
  }
  const lastAgoMs = Math.max(0, Date.now() - sign.at);
  const counts = Map.groupBy(beat.verdicts.toLowerCase(), (letter) => verdictOf.get(letter));
  const verdicts = Object.fromEntries(rowVerdicts.map((verdict) => [verdict, counts.get(verdict)?.length ?? 0]));
  return {
    site,
    agent,
    presence: lastAgoMs > 2000 * beat.next ? 'stale' : 'present',
    lastAgoMs,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    verdicts: beat.run === null ? null : (verdicts as Record<RowVerdict, number>),
    revision: beat.revision,
    refused: beat.refused,
    skewMs: Date.parse(beat.at) - sign.at,
    version: beat.version,
  };
}

const harmlessSkewMs = 60_000;

/** Lines for a person. */
export function standingText(all: readonly Standing[]): string {
  if (all.length === 0) return 'the fleet has no agents yet: xenreach fleet add SITE AGENT --as ROLE\n';
  const cells = all.map((each) => [each.site, each.agent, presenceText(each), verdictText(each), revisionText(each)]);
  const widths = [0, 1, 2, 3].map((i) => Math.max(...cells.map((row) => row[i]!.length)));
  const lines = cells.flatMap((row, i) => {
    const line = row.map((cell, j) => cell.padEnd(widths[j] ?? 0)).join('  ');
    return [line.trimEnd()].concat(remarks(all[i]!).map((text) => `    ${text}`));
  });
  const present = all.filter(({ presence }) => presence === 'present').length;
  return `${lines.join('\n')}\n${present} of ${all.length} agents present\n`;
}

const presenceText = ({ presence, lastAgoMs }: Standing): string =>
  presence === 'stale' ? `stale for ${spell(lastAgoMs ?? 0)}` : presence;

function verdictText({ verdicts }: Standing): string {
  if (!verdicts) return 'no run yet';
  const told = rowVerdicts.flatMap((verdict) => (verdicts[verdict] > 0 ? [`${verdicts[verdict]} ${verdict}`] : []));
  return told.join(', ') || 'no rows';
}

const revisionText = ({ revision }: Standing): string =>
  revision === null ? '' : revision === 0 ? 'no revision' : `revision ${revision}`;

function remarks({ refused, skewMs }: Standing): string[] {
  const skew = skewMs ?? 0;
  return [
    ...(refused === null ? [] : [`refuses the newest revision: ${refused}`]),
    ...(Math.abs(skew) < harmlessSkewMs
      ? []
      : [`its clock is ${spell(Math.abs(skew))} ${skew < 0 ? 'behind' : 'ahead of'} the server's`]),
  ];
}

/** A line for each agent, and how many began. */
export async function askForRounds(
  bus: Bus,
  agents: readonly RosterAgent[],
  rows: readonly string[],
): Promise<{ readonly lines: readonly string[]; readonly begun: number }> {
  const data = Buffer.from(JSON.stringify(rows.length > 0 ? { do: 'run', rows } : { do: 'run' }));
  const asked = agents.map(async ({ site, agent }) => {
    const reply = await bus.ask(doSubject(site, agent), data);
    if ('none' in reply)
      return { isBegun: false, line: `${agent}: ${reply.none === 'nobody' ? 'is not there' : 'does not answer'}` };
    const { ok, text } = answerOf(reply.answer);
    return { isBegun: ok, line: `${agent}: ${text}` };
  });
  const all = await Promise.all(asked);
  return { lines: all.map(({ line }) => line), begun: all.filter(({ isBegun }) => isBegun).length };
}

function answerOf(data: Uint8Array): { readonly ok: boolean; readonly text: string } {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data.subarray(0, 4096)));
    if (typeof value === 'object' && value !== null && 'ok' in value && 'text' in value)
      return { ok: value.ok === true, text: String(value.text).slice(0, 500) };
  } catch {
    // Said below.
  }
  return { ok: false, text: 'answers what nobody understands' };
}
