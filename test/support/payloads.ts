/** Texts that do something where they are shown raw, and a report that has one of them in every field that can carry it. */
import type { Report } from '../../src/model/report.ts';

export const payloads: Readonly<Record<string, string>> = {
  'a clear screen and a title': 'x\u001b[2J\u001b]0;owned\u0007y',
  'a link of the terminal': 'x\u001b]8;;http://evil.test/\u001b\\click\u001b]8;;\u001b\\y',
  'C1 controls': 'x\u009b31m\u0085\u0090q\u009cy',
  'a carriage return': 'good\rbad\b\b\b\u007f',
  'a text turned round': 'x\u202eevil\u2066\u2069\u200fy',
  'what nobody sees': 'x\u200b\u200d\u2060\ufeff\u00ad\u034f\u3164\u{e0041}y',
  'line ends of every kind': 'a\nb\r\nc\u2028d\u2029e\u000bf\u000cg',
  markup: ']]><script>alert(1)</script><!-- " \' & --><img src=x onerror=alert(1)>',
  'marks of a table': '"|\\|`*_{}[x](javascript:alert(1)) ![y](z) ~~s~~ <b>',
  'a link': 'see http://evil.test/?a=b www.evil.test mailto:a@evil.test and ftp://evil.test',
  mentions: '@everyone @root please, a@evil.test #1 !2',
  'an order': '/close',
  'a metric of its own': '"} 1\n# TYPE evil gauge\nevil 1\n',
  'performance figures': 'x | evil=1;2;3',
  'half a character': '\ud800 \udfff \uffff',
  'another script': '東京 e\u0301',
};

/** Nothing of it may be in what is written: C0, C1, format characters, what is drawn as nothing. */
export const live = /[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u;

const closed = new Set([
  ...['schema', 'verdict', 'outcome', 'stage', 'hint', 'skip', 'transport', 'transports', 'mode', 'origin', 'kind'],
  ...['startedAt', 'id', 'section', 'checks', 'rows', 'tool', 'sha256'],
]);

/** The same report with `text` behind every string that somebody else can choose. */
export function poisoned(report: Report, text: string): Report {
  return poison(report, '') as Report;

  function poison(value: unknown, key: string): unknown {
    if (typeof value === 'string') return closed.has(key) ? value : text;
    if (Array.isArray(value)) return value.map((item: unknown) => poison(item, key));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([name, inner]) => [name, poison(inner, name)] as const);
    return Object.fromEntries(entries);
  }
}
