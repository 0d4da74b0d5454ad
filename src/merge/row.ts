/** One row by what its sources say: the worst over the machines that should have checked it; who is missing proves nothing. */
import { nameList } from '../judge/causes.ts';
import { worst } from '../judge/table.ts';
import { separator } from '../model/merged.ts';
import type { Coverage, ReportRow, RowSource } from '../model/report.ts';
import type { CheckVerdict } from '../model/verdict.ts';
import { isOfItself, rolesOf, type Expected, type Machine } from './coverage.ts';
import type { Named } from './names.ts';
import { compare, naturally } from './newest.ts';
import type { Word } from './part.ts';

export type Fixed = Pick<
  ReportRow,
  | 'id'
  | 'section'
  | 'from'
  | 'to'
  | 'transports'
  | 'ports'
  | 'purpose'
  | 'require'
  | 'catalogue'
  | 'confidence'
  | 'basis'
>;

/** A word, and whose it is. */
interface Source {
  readonly named: Named;
  readonly word: Word;
  readonly isStale: boolean;
}

type Verdict = Pick<ReportRow, 'verdict' | 'because' | 'remedy' | 'skip'>;

const notesShown = 24;

export interface MergedRow {
  readonly row: ReportRow;
  /** Where nothing but silence of machines keeps it from being proven: whose. */
  readonly unheard: string | null;
}

export function mergedRow(
  fixed: Fixed,
  runs: readonly Named[],
  isStale: (named: Named) => boolean,
  expected: Expected,
): MergedRow {
  const sources = runs.flatMap((each): Source[] => {
    const word = each.words.get(fixed.id);
    return word ? [{ named: each, word, isStale: isStale(each) }] : [];
  });
  const missing = missingOf(fixed, sources, expected);
  const verdict = verdictOf(sources, missing);
  const isJudged = verdict.skip === null;
  const spared = sources.flatMap(({ named: { name }, word }) =>
    (word.spared ?? []).map((id) => `${name}${separator}${id}`),
  );
  const row = {
    ...fixed,
    ...verdict,
    notes: isJudged ? notesOf(sources) : [],
    checks: sources.flatMap(({ named: { name }, word }) => word.checks.map(({ id }) => `${name}${separator}${id}`)),
    ...(spared.length > 0 && { spared }),
    sources: sources.map(saidBy),
    coverage: missing.coverage,
  };
  const isUnheard = verdict.verdict === 'unverified' && verdict.remedy === missing.remedy;
  return { row, unheard: isUnheard ? missing.told.join('; ') : null };
}

function saidBy({ named: { name }, word, isStale }: Source): RowSource {
  const { verdict, because, remedy, skip, notes } = word;
  return { vantage: name, verdict, because, remedy, skip, notes, ...(isStale && { stale: true }) };
}

interface Missing {
  readonly coverage: Coverage;
  /** A sentence for each way to be missing. */
  readonly told: readonly string[];
  /** What those that are too old said. */
  readonly was: readonly string[];
  readonly isNobodyKnown: boolean;
  readonly remedy: string;
}

/** A machine is heard when one of its runs says something that is not too old. */
function missingOf({ from }: Fixed, sources: readonly Source[], { present, absent }: Expected): Missing {
  const fresh = new Set(sources.filter((source) => isWord(source) && !source.isStale).map(({ named }) => named));
  const unheard = present.filter(({ runs }) => !runs.some((run) => fresh.has(run)));
  const stale = unheard.filter(({ runs }) =>
    sources.some((each) => each.isStale && isWord(each) && runs.includes(each.named)),
  );
  const others = unheard.filter((machine) => !stale.includes(machine)).map(({ name }) => name);
  const hosts = absent.map(({ host }) => host);
  const isNobodyKnown = present.length + absent.length === 0;
  const names = [...others, ...stale.map(({ name }) => name), ...hosts];
  const who = isNobodyKnown ? [from] : names;
  return {
    coverage: {
      have: present.length - unheard.length,
      of: Math.max(1, present.length + absent.length),
      missing: who.toSorted(naturally),
    },
    told: [
      ...(isNobodyKnown ? [`no report from ${article(from)}`] : []),
      ...(hosts.length > 0 ? [`no report from ${nameList(hosts)}`] : []),
      ...(others.length > 0 ? [`${nameList(others)} did not check it`] : []),
      ...(stale.length > 0 ? [staleText(stale)] : []),
    ],
    was: [...new Set(stale.map((machine) => `it was ${lastWord(machine, sources)}`))],
    isNobodyKnown,
    remedy: `Run \`xenreach check ${rolesOf(from)
      .map((role) => `--as ${role}`)
      .join(
        ' ',
      )} --output json=${fileOf(from)}\` on ${isNobodyKnown ? article(from) : nameList(names)}, and merge what it writes too.`,
  };
}

/** After the first of its roles. */
const fileOf = (from: string): string => `${rolesOf(from)[0]}.json`;

function staleText(machines: readonly Machine[]): string {
  const [first] = machines;
  const names = nameList(machines.map(({ name }) => name));
  const began = first!.runs
    .map(({ run }) => run.startedAt)
    .toSorted((a, b) => Date.parse(a) - Date.parse(b) || compare(a, b));
  return machines.length === 1
    ? `the report of ${names} from ${began.at(-1)} is older than --max-age`
    : `the reports of ${names} are older than --max-age`;
}

const lastWord = ({ runs }: Machine, sources: readonly Source[]): string =>
  sources.findLast(({ named, isStale }) => isStale && runs.includes(named))?.word.verdict ?? 'unknown';

/** That a row was not asked for says nothing about it. */
const isWord = ({ word: { skip } }: Source): boolean => skip !== 'not-selected';
const isJudged = ({ word: { verdict } }: Source): boolean => verdict !== 'skipped';

function verdictOf(sources: readonly Source[], missing: Missing): Verdict {
  const judged = sources.filter((source) => isJudged(source) && !source.isStale);
  if (judged.length > 0) return worstOf(judged, missing);
  const unproven: Verdict = {
    verdict: 'unverified',
    because: [...missing.told, ...missing.was].join('; '),
    remedy: missing.remedy,
    skip: null,
  };
  if (sources.some(isJudged)) return unproven;
  // What the site is like holds wherever it is asked.
  const [skipped] = sources
    .filter(isWord)
    .toSorted(
      (a, b) => compare(a.word.skip ?? '', b.word.skip ?? '') || compare(a.word.because ?? '', b.word.because ?? ''),
    );
  if (skipped) return skippedBy(skipped);
  const [unasked] = sources;
  if (unasked) return skippedBy(unasked);
  if (!missing.isNobodyKnown) return unproven;
  return { ...unproven, verdict: 'skipped', skip: 'other-vantage' };
}

function skippedBy({ named: { name }, word }: Source): Verdict {
  const { because, remedy, skip } = word;
  return { verdict: 'skipped', because: here(because ?? '', name), remedy: remedy && here(remedy, name), skip };
}

function worstOf(judged: readonly Source[], { coverage, told, was, remedy }: Missing): Verdict {
  const verdicts = judged
    .map(({ word }) => word.verdict)
    .filter((verdict): verdict is CheckVerdict => verdict !== 'skipped');
  const verdict = worst(coverage.missing.length > 0 ? [...verdicts, 'unverified'] : verdicts);
  const lead = judged.filter(({ word }) => word.verdict === verdict);
  if (lead.length === 0) {
    const heard = worst(verdicts);
    const rest =
      judged.length === 1
        ? `${judged[0]!.named.name} says ${heard}`
        : `the worst of the other ${judged.length} is ${heard}`;
    return { verdict, because: [...told, ...was, rest].join('; '), remedy, skip: null };
  }
  const first = lead[0]!;
  const text = here(first.word.because ?? '', first.named.name);
  const because = coverage.of === 1 && judged.length === 1 ? text : `${share(lead, coverage.of)}: ${text}`;
  return { verdict, because, remedy: remedyOf(lead), skip: null };
}

/** "1 of 64, xs1", "2 of 64, first xs1", "all 64" */
function share(lead: readonly Source[], of: number): string {
  const { name } = lead[0]!.named;
  if (lead.length >= of) return `all ${of}`;
  return lead.length === 1 ? `1 of ${of}, ${name}` : `${lead.length} of ${of}, first ${name}`;
}

/** Where all are told to do the same, it is said once, of all of them. */
function remedyOf(lead: readonly Source[]): string | null {
  const first = lead.find(({ word }) => word.remedy !== null);
  if (!first) return null;
  const same = lead.filter(({ word }) => word.remedy === first.word.remedy);
  return here(first.word.remedy!, nameList(same.map(({ named }) => named.name)));
}

/** A note that all have is said of nobody. */
function notesOf(sources: readonly Source[]): string[] {
  const judged = sources.filter(isJudged);
  const byText = new Map<string, string[]>();
  for (const {
    named: { name },
    word,
  } of judged) {
    for (const note of word.notes.filter((each) => !isOfItself.test(each))) {
      const names = byText.get(note);
      if (names) names.push(name);
      else byText.set(note, [name]);
    }
  }
  const notes = [...byText].map(([note, names]) =>
    names.length === judged.length
      ? names.length === 1
        ? here(note, names[0]!)
        : note
      : `${nameList(names)}: ${note}`,
  );
  const hidden = notes.length - notesShown;
  return [
    ...notes.slice(0, notesShown),
    ...(hidden > 0 ? [`and ${hidden} more notes, in the sources of the JSON report`] : []),
  ];
}

/** In the words of a run "this machine" is its own. */
const here = (text: string, name: string): string => text.replaceAll('this machine', name);

const article = (role: string): string => `${/^[aeiou]/.test(role) ? 'an' : 'a'} ${role}`;
