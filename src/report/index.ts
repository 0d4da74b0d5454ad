/** The registry of reporters: one line each, and the only list of formats. */
import type { Reporter } from '../model/report.ts';
import { csv } from './csv.ts';
import { firewall } from './firewall.ts';
import { html } from './html.ts';
import { json } from './json.ts';
import { junit } from './junit.ts';
import { markdown } from './markdown.ts';
import { nagios } from './nagios.ts';
import { ndjson } from './ndjson.ts';
import { prometheus } from './prometheus.ts';
import { tap } from './tap.ts';
import { text } from './text.ts';

const registry = {
  text,
  json,
  ndjson,
  junit,
  prometheus,
  nagios,
  html,
  markdown,
  csv,
  tap,
  firewall,
} as const satisfies Readonly<Record<string, Reporter>>;

export type Format = keyof typeof registry;

/** What standard output gets where nobody says otherwise. */
export const defaultFormat: Format = 'text';

export const reporters: Readonly<Record<Format, Reporter>> = registry;
