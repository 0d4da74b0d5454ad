/**
 * Every format is read back by a parser that is not ours: what a peer, a site or a file says stays a text in it, and never
 * becomes markup, a link, a mention, an order, a line, a figure, or a sequence that a terminal obeys.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { reporters, type Format } from '../../src/report/index.ts';
import { live, payloads, poisoned } from '../support/payloads.ts';
import { asked, mixed, planned } from '../report/sample.ts';

const python = '/usr/bin/python3';
const isHere = ['/usr/bin/cmark-gfm', '/usr/lib/python3/dist-packages/html5lib'].every((file) => existsSync(file));
const cases = Object.entries(payloads);

const rendered = (format: Format, text: string): string[] =>
  [mixed, planned].map((report) => reporters[format].render(poisoned(report, text), { ...asked, verbose: true }));

function read(script: string, input: string): string {
  return execFileSync(python, ['-c', script], { input, encoding: 'utf8', maxBuffer: 2 ** 26 });
}

describe.for(Object.keys(reporters) as Format[])('%s', (format) => {
  test.for(cases)('shows nothing that acts: %s', ([, text]) => {
    for (const output of rendered(format, text)) expect(live.exec(output)).toBeNull();
  });
});

describe.skipIf(!isHere)('read back', () => {
  test.for(cases)('as HTML, strictly: %s', ([, text]) => {
    const script = `
import sys, json, html5lib
parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
tree = parser.parse(sys.stdin.buffer.read(), transport_encoding='utf-8')
print(json.dumps(sorted({element.tag for element in tree.iter() if isinstance(element.tag, str)} | {'@' + name for element in tree.iter() for name in element.attrib})))`;
    const [plain, ...outputs] = ['harmless', text].flatMap((each) => rendered('html', each)[0] ?? []);
    for (const output of outputs) expect(read(script, output)).toBe(read(script, plain ?? ''));
  });

  test.for(cases)('as XML: %s', ([, text]) => {
    const script = `
import sys, xml.etree.ElementTree as e
print(len(list(e.fromstring(sys.stdin.buffer.read()).iter())))`;
    const count = read(script, rendered('junit', 'harmless')[0]!);
    expect(read(script, rendered('junit', text)[0]!)).toBe(count);
  });

  test.for(cases)('as metrics: %s', ([, text]) => {
    const script = `
import sys
from prometheus_client.parser import text_string_to_metric_families as parse
print(sorted((family.name, len(family.samples)) for family in parse(sys.stdin.read()) if 'not_after' not in family.name))`;
    expect(read(script, rendered('prometheus', text)[0]!)).toBe(read(script, rendered('prometheus', 'harmless')[0]!));
  });

  test.for(cases)('as JSON, exactly: %s', ([, text]) => {
    const { host } = JSON.parse(rendered('json', text)[0]!).checks[0] as { host: string };
    expect(host).toBe(text);
    for (const line of rendered('ndjson', text)[0]!.trim().split('\n'))
      expect(() => void JSON.parse(line)).not.toThrow();
    expect(read('import sys, json; print(len(json.load(sys.stdin)["checks"]))', rendered('json', text)[0]!)).toBe(
      `${mixed.checks.length}\n`,
    );
  });

  test.for(cases)('as GitHub and GitLab read markdown: %s', ([, text]) => {
    const [output = ''] = rendered('markdown', text);
    const page = execFileSync('cmark-gfm', ['-e', 'table', '-e', 'autolink', '-e', 'strikethrough', '--unsafe'], {
      input: output,
      encoding: 'utf8',
    });
    const tags = new Set([...page.matchAll(/<([a-z0-9]+)/g)].map(([, tag]) => tag));
    const expected = new Set('h2 h3 p strong ul li table thead tbody tr th td code'.split(' '));
    expect([...tags].filter((tag) => !expected.has(tag!))).toEqual([]);
    // GitHub makes mentions of what is outside of code, GitLab obeys a line that begins with a slash.
    const outside = page.replaceAll(/<code>.*?<\/code>/gs, '');
    expect(outside).not.toMatch(/@\w|\b(?:https?|ftp):|www\.|(?<!&)#\d/);
    expect(output).not.toMatch(/^\s*\/\w/m);
  });
});

test('a plugin has one set of figures, whatever it tells', () => {
  for (const text of Object.values(payloads)) {
    const [first = '', ...rest] = rendered('nagios', text)[0]!.split('\n');
    expect(first.split('|')).toHaveLength(2);
    expect(rest.join('')).not.toContain('|');
  }
});
