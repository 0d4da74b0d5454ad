/** The contract with scripts: `xenreach.report/1`, its keys in the order in which the report is put together. */
import type { Reporter } from '../model/report.ts';
import { json as stringify } from './escape.ts';

export const json: Reporter = {
  about: 'the whole report as one JSON object, schema xenreach.report/1',
  render: (report) => `${stringify(report, 2)}\n`,
};
