/** Small strict readers of the formats that reporters write: each throws at the first thing that is not allowed. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** XML 1.0: one root, matched tags, quoted attributes without a raw `<`, known references, allowed characters only. */
export function readXml(xml: string): Element {
  const forbidden = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.exec(xml);
  if (forbidden) throw new Error(`character ${forbidden[0].codePointAt(0)} at ${forbidden.index} is not allowed`);
  const document: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [document];
  const token =
    /<!DOCTYPE [a-z]+>|<\?[^?]*\?>|<\/([a-zA-Z][\w-]*)>|<([a-zA-Z][\w-]*)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|[^<]+/gy;
  let at = 0;
  while (at < xml.length) {
    token.lastIndex = at;
    const match = token.exec(xml);
    if (!match) throw new Error(`not well-formed at ${at}: ${xml.slice(at, at + 40)}`);
    at = token.lastIndex;
    const [all, closing, opening, attributes = '', selfClosing] = match;
    const current = open.at(-1);
    if (!current) throw new Error('nothing is open');
    if (closing !== undefined) {
      if (open.pop()?.name !== closing) throw new Error(`</${closing}> closes <${current.name}>`);
    } else if (opening !== undefined) {
      const element: Element = { name: opening, attributes: readAttributes(attributes), children: [], text: '' };
      current.children.push(element);
      if (selfClosing === '') open.push(element);
    } else if (!all.startsWith('<')) {
      if (open.length === 1 && all.trim() !== '') throw new Error(`text outside the root: ${all}`);
      current.text += unescape(all);
    }
  }
  const [root] = document.children;
  if (open.length !== 1 || document.children.length !== 1 || !root) throw new Error('not exactly one closed root');
  return root;
}

export function descendants(element: Element, name: string): Element[] {
  return element.children.flatMap((child) =>
    child.name === name ? [child, ...descendants(child, name)] : descendants(child, name),
  );
}

function readAttributes(source: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = '', value = ''] of source.matchAll(/([\w-]+)="([^"]*)"/g)) {
    if (name in attributes) throw new Error(`attribute ${name} twice`);
    attributes[name] = unescape(value);
  }
  return attributes;
}

function unescape(text: string): string {
  return text.replaceAll(/&([^;]*;?)/g, (all, name: string) => {
    const code = /^#(\d+);$/.exec(name)?.[1];
    const char = code === undefined ? entities[name.slice(0, -1)] : String.fromCodePoint(Number(code));
    if (char === undefined || !name.endsWith(';')) throw new Error(`unknown reference ${all}`);
    return char;
  });
}

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * The Prometheus text format, and promtool's advice: HELP and TYPE once and before their samples, families not mixed,
 * no series twice, base units, no gauge named like a counter.
 */
export function readMetrics(text: string): Series[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no line feed');
  const series: Series[] = [];
  const seen = new Set<string>();
  const helped = new Set<string>();
  let family = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const help = /^# HELP ([a-z_:][a-z0-9_:]*) (?:[^\\\n]|\\[\\n])+$/.exec(line)?.[1];
    const type = /^# TYPE ([a-z_:][a-z0-9_:]*) gauge$/.exec(line)?.[1];
    const sample = /^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)$/u.exec(line);
    if (help !== undefined) {
      if (helped.has(help)) throw new Error(`HELP ${help} twice`);
      if (/_(?:total|count|sum|bucket|milliseconds|ms|minutes)$/.test(help)) throw new Error(`a gauge called ${help}`);
      helped.add(help);
    } else if (type !== undefined) {
      if (!helped.has(type) || seen.has(`# ${type}`)) throw new Error(`TYPE ${type} out of place`);
      seen.add(`# ${type}`);
      family = type;
    } else if (sample) {
      const [, name = '', labels = '', value = ''] = sample;
      if (name !== family) throw new Error(`sample of ${name} in the family ${family}`);
      if (seen.has(`${name}{${labels}}`)) throw new Error(`series twice: ${line}`);
      if (!/^-?\d+(?:\.\d+)?(?:e[+-]\d+)?$/.test(value)) throw new Error(`not a number: ${value}`);
      seen.add(`${name}{${labels}}`);
      series.push({ name, labels: readLabels(labels), value: Number(value) });
    } else {
      throw new Error(`not a line of the format: ${line}`);
    }
  }
  return series;
}

function readLabels(source: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/gy;
  let at = 0;
  while (at < source.length) {
    label.lastIndex = at;
    const match = label.exec(source);
    if (!match) throw new Error(`not a label at ${at}: ${source}`);
    const [, name = '', value = ''] = match;
    if (name in labels || name.startsWith('__')) throw new Error(`label ${name}`);
    labels[name] = value.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
    at = label.lastIndex;
  }
  return labels;
}

/** The cells of each row of a GitHub table; a pipe counts only when no backslash takes its meaning. */
export function readTables(markdown: string): string[][][] {
  const tables: string[][][] = [];
  let isInside = false;
  for (const line of markdown.split('\n')) {
    if (line.startsWith('|')) {
      if (!isInside) tables.push([]);
      tables.at(-1)!.push(line.split(/(?<!(?<!\\)(?:\\\\)*\\)\|/).slice(1, -1));
    }
    isInside = line.startsWith('|');
  }
  return tables;
}
