/** One check by hand, for a person at a terminal: the outcome, what to do, and the evidence. */
import type { Json } from '../model/outcome.ts';
import type { ReportCheck } from '../model/report.ts';
import { plain } from './escape.ts';

/** `layer` and `remedy` as the judge has them. */
export function singleText(check: ReportCheck, layer: string, remedy: string | null): string {
  const { outcome, hint, stage, code, attempts } = check;
  const where = outcome === 'answered' ? '' : ` (${layer})`;
  const at = stage === null ? '' : ` at ${stage}`;
  const more = `${hint === null ? '' : `, ${hint}`}${where}${code === null ? '' : ` [${code}]`}`;
  const lines = [
    `${check.probe} ${plain(check.id.slice(check.id.indexOf('/') + 1))}/${check.transport}: ${check.verdict?.toUpperCase()}`,
    `  outcome   ${outcome}${at}${more}`,
    `  detail    ${plain(check.detail ?? '')}`,
    ...check.warnings.map((text) => `  warning   ${plain(text)}`),
    ...check.notes.map((text) => `  note      ${plain(text)}`),
    ...(remedy === null ? [] : [`  remedy    ${plain(remedy)}`]),
    `  took      ${check.durationMs} ms${attempts > 1 ? `, ${attempts} attempts` : ''}`,
    ...Object.entries(check.evidence).flatMap(([key, value]) => evidenceLines(key, value)),
  ];
  return `${lines.join('\n')}\n`;
}

function evidenceLines(key: string, value: Json, indent = '  '): string[] {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    return [
      `${indent}${key}`,
      ...Object.entries(value).flatMap(([name, inner]) => evidenceLines(name, inner, `${indent}  `)),
    ];
  }
  const text = Array.isArray(value)
    ? value.map((item) => (typeof item === 'object' ? JSON.stringify(item) : String(item))).join(', ')
    : String(value);
  return [`${indent}${key.padEnd(9)} ${plain(text)}`];
}
