/** A site file → a signed revision, held against everything that an agent would hold it against. */
import { readFileSync } from 'node:fs';
import { readSeed } from '../fleet/files.ts';
import { keyOfSeed } from '../fleet/keys.ts';
import { requireWord } from '../fleet/layout.ts';
import { maxRevisionBytes, readRevision, signRevision, type Revision } from '../fleet/revision.ts';
import { places, readRoster, writeRoster, type Roster } from '../fleet/roster.ts';
import { readFile } from '../load/read-file.ts';
import { UsageError } from '../model/errors.ts';
import { holdAgainst, readConfig } from '../watch/load-config.ts';
import type { Arguments } from './options.ts';
import { load } from './site.ts';

export async function signSite(folder: string, file: string, values: Arguments): Promise<string> {
  const { site, spec } = await load({ site: file }, false);
  requireWord(site.name, `${file}: the name of the site`);
  const watch = await intervalsOf(values, spec);
  const place = places(folder);
  const key = await keyOfSeed(readSeed(place.operatorKey), place.operatorKey);
  const roster = readRoster(folder);
  const number = (roster.numbers[site.name] ?? 0) + 1;
  const yaml = Buffer.from(readFile(file)).toString('utf8');
  const { id, sha256 } = spec;
  const text = await signRevision({ site: site.name, number, spec: { id, sha256 }, watch, yaml }, key);
  if (text.length > maxRevisionBytes)
    throw new UsageError(`${file}: a revision has at most ${maxRevisionBytes / 1024} KiB`);
  writeRoster(folder, { ...roster, numbers: { ...roster.numbers, [site.name]: number } });
  return text;
}

/** A revision that was signed before, or a site file, which is signed now. */
export async function readOrSign(
  folder: string,
  roster: Roster,
  file: string,
  values: Arguments,
): Promise<{ readonly text: string; readonly revision: Revision }> {
  const given = Buffer.from(readFile(file)).toString('utf8').trim();
  const isSigned = given.startsWith('{') && given.includes('"xenreach.site-revision/');
  const text = isSigned ? given : await signSite(folder, file, values);
  const read = await readRevision(Buffer.from(text), [roster.operator]);
  if ('refused' in read) throw new UsageError(`${file}: ${read.refused}`);
  return { text, revision: read.revision };
}

/** As they are written: agents read them by the same schema. */
async function intervalsOf({ config }: Arguments, spec: Parameters<typeof holdAgainst>[1]): Promise<Revision['watch']> {
  if (config === undefined) return {};
  const read = await readConfig(config);
  holdAgainst(read, spec);
  const { parse } = await import('yaml');
  const written: unknown = parse(readFileSync(config, 'utf8'));
  const { every, rows, sections, confirm } = read.file;
  const has = (key: string): boolean => typeof written === 'object' && written !== null && key in written;
  const seconds = (all: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(all).map(([name, ms]) => [name, ms / 1000]));
  return {
    ...(has('every') && { every: every / 1000 }),
    ...(has('rows') && { rows: seconds(rows) }),
    ...(has('sections') && { sections: seconds(sections) }),
    ...(has('confirm') && { confirm: { runs: confirm.runs, recheck: confirm.recheck / 1000 } }),
  };
}
