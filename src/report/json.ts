/** The contract with scripts: `xenreach.report/1`, its keys in the order in which the report is put together. */
import type { Report, Reporter } from '../model/report.ts';
import { json as stringify } from './escape.ts';

/** Characters, roughly, of a piece: few writes, and little held at a time. */
const pieceLength = 65_536;

export const json: Reporter = {
  about: 'the whole report as one JSON object, schema xenreach.report/1',
  render: (report) => [...pieces(report)].join(''),
  pieces,
};

/** As `JSON.stringify(report, null, 2)` has it: the text of all sites of a fleet at once is more than the report itself. */
function* pieces(report: Report): Iterable<string> {
  let text = '{';
  let comma = '\n';
  for (const [key, value] of Object.entries(report)) {
    if (value === undefined) continue;
    text += `${comma}  ${JSON.stringify(key)}: `;
    comma = ',\n';
    if (!Array.isArray(value) || value.length === 0) {
      text += indented(value, '  ');
      continue;
    }
    text += '[';
    for (const [at, item] of value.entries()) {
      text += `${at === 0 ? '' : ','}\n    ${indented(item, '    ')}`;
      if (text.length < pieceLength) continue;
      yield text;
      text = '';
    }
    text += '\n  ]';
  }
  yield `${text}\n}\n`;
}

/** No line feed stands inside a string of JSON. */
const indented = (value: unknown, indent: string): string => stringify(value, 2).replaceAll('\n', `\n${indent}`);
