/**
 * What was found, laid beside what a person wrote: their text stays, word for word and comments too; what is new is inserted
 * where it belongs, what differs is told. Insertions are all there is: no character of the file goes away.
 */
import { isMap, isScalar, isSeq, parseDocument, type Node, type Pair, type YAMLMap } from 'yaml';
import { parseSite } from '../load/site.ts';
import { canonicalHost } from '../model/address.ts';
import { UsageError } from '../model/errors.ts';
import type { Site } from '../model/site.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { Draft, DraftRole } from './draft.ts';
import type { HostFinding } from './finding.ts';
import { comment, entryLines, factLine, flowHost, pinLines, proxyLines, scalar } from './write.ts';

export interface Merged {
  readonly text: string;
  /** What differs, and what could not be inserted. */
  readonly told: readonly string[];
}

interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** Throws a UsageError where the file itself is no site, or is not written in blocks. */
export async function mergeInto(source: string, file: string, draft: Draft, spec: LoadedSpec): Promise<Merged> {
  const site = await parseSite(source, file, spec);
  const { contents } = parseDocument(source);
  if (!isMap<Node, Node | null>(contents) || contents.flow === true) {
    throw new UsageError(`${file}: --merge takes a site in YAML, one key a line; this one is written as JSON`);
  }
  const merge = new Merge(source, contents, site);
  merge.add(draft);
  const text = merge.text;
  await parseSite(text, `${file}, merged`, spec);
  return { text, told: merge.told };
}

class Merge {
  readonly told: string[] = [];
  readonly #source: string;
  readonly #top: YAMLMap<Node, Node | null>;
  readonly #site: Site;
  readonly #insertions: Insertion[] = [];
  readonly #newline: string;

  constructor(source: string, top: YAMLMap<Node, Node | null>, site: Site) {
    this.#source = source;
    this.#top = top;
    this.#site = site;
    this.#newline = source.includes('\r\n') ? '\r\n' : '\n';
  }

  get text(): string {
    const inOrder = this.#insertions.toSorted((a, b) => a.at - b.at);
    const pieces: string[] = [];
    let from = 0;
    for (const { at, text } of inOrder) {
      pieces.push(this.#source.slice(from, at), text);
      from = at;
    }
    return [...pieces, this.#source.slice(from)].join('');
  }

  add(draft: Draft): void {
    for (const role of draft.roles) if (role.hosts.length > 0 || role.domain) this.#tellGone(role);
    const news = draft.roles.filter((role) => this.#isNewRole(role));
    this.#addTo(
      'roles',
      news,
      (role, indent) => entryLines(role, indent),
      (role) => `${role.role}: ${flowRole(role)}`,
    );
    for (const role of draft.roles) this.#addHosts(role);
    this.#addNotUsed(draft);
    this.#addFacts(draft);
    this.#addProxy(draft);
    this.#addPins(draft);
  }

  #isNewRole({ role, hosts, domain }: DraftRole): boolean {
    if (hosts.length === 0 && !domain) return false;
    if (!this.#site.notUsed.includes(role)) return !Object.hasOwn(this.#site.roles, role);
    this.told.push(
      `${role} is found (${domain?.value ?? hosts.map(({ host }) => host).join(', ')}), and stands under not-used`,
    );
    return false;
  }

  /** What the file has and nobody found may be right all the same. */
  #tellGone({ role, hosts, domain }: DraftRole): void {
    const written = this.#site.roles[role];
    if (!written) return;
    const found = new Set(hosts.map(({ host }) => canonicalHost(host)));
    const gone = written.hosts.map(({ host }) => host).filter((host) => !found.has(canonicalHost(host)));
    if (gone.length > 0 && domain === undefined)
      this.told.push(`${role}: ${gone.join(', ')} stands in the file and was not found`);
    if (domain && written.domain !== undefined && written.domain !== domain.value) {
      this.told.push(`${role}: the file has the domain ${written.domain}, found was ${domain.value}`);
    }
  }

  /** A role that is there gets the hosts that it lacks. */
  #addHosts({ role, hosts }: DraftRole): void {
    const written = this.#site.roles[role];
    const node = written ? this.#within('roles', role) : undefined;
    if (!written || !node?.range) return;
    const known = new Set(written.hosts.map(({ host }) => canonicalHost(host)));
    const news = hosts.filter(({ host }) => !known.has(canonicalHost(host)));
    if (news.length === 0) return;
    const [start, end] = node.range;
    const more = news.map((host) => `, ${flowHost(host)}`).join('');
    const isObject = isMap<Node, Node>(node);
    const isHost = isObject && node.flow === true && node.items.some(({ key }) => keyOf(key) === 'host');
    if (isSeq(node) && node.flow !== true && node.items.length > 0) this.#addItems(start, end, news.map(itemOf));
    else if (isSeq(node) && node.items.length > 0) this.#insertClosing(end, more);
    else if (isScalar(node) || isHost) this.#insertions.push({ at: start, text: '[' }, { at: end, text: `${more}]` });
    else this.told.push(`${role}: found was also ${news.map(({ host }) => host).join(', ')}; add it by hand`);
  }

  #addNotUsed({ notUsed }: Draft): void {
    const news = notUsed.filter(({ value }) => !this.#site.notUsed.includes(value));
    for (const { value, from } of news.filter((each) => this.#hasHosts(each.value))) {
      this.told.push(`${value}: ${from}; but the file has hosts for it`);
    }
    const fitting = news.filter(({ value }) => !this.#hasHosts(value));
    const node = this.#valueOf('not-used');
    const lines = fitting.map(({ value, from }) => `- ${scalar(value)} ${comment(from)}`);
    if (fitting.length === 0) return;
    if (node === undefined) this.#append(['not-used:', ...lines.map((line) => `  ${line}`)]);
    else if (isSeq(node) && node.range && node.flow !== true) this.#addItems(node.range[0], node.range[1], lines);
    else if (isSeq(node) && node.range && node.items.length > 0) {
      this.#insertClosing(node.range[1], fitting.map(({ value }) => `, ${scalar(value)}`).join(''));
    } else this.told.push(`not-used: add ${fitting.map(({ value }) => value).join(', ')} by hand`);
  }

  #hasHosts(role: string): boolean {
    return Object.hasOwn(this.#site.roles, role);
  }

  #addFacts({ facts }: Draft): void {
    for (const { fact, value, from } of facts) {
      const written = this.#site.facts[fact];
      if (written !== undefined && written !== value) {
        this.told.push(`${fact}: the file says ${String(written)}, found was ${String(value)} (${from})`);
      }
    }
    const news = facts.filter(({ fact }) => !Object.hasOwn(this.#site.facts, fact));
    this.#addTo(
      'facts',
      news,
      (fact, indent) => [`${indent}${factLine(fact)}`],
      ({ fact, value }) => `${fact}: ${String(value)}`,
    );
  }

  #addProxy(draft: Draft): void {
    const { proxy } = this.#site;
    if (!draft.proxy) return;
    if (proxy === null) this.#append(proxyLines(draft).filter((line) => line !== ''));
    else if (proxy.url !== draft.proxy.url)
      this.told.push(`proxy: the file has ${proxy.url}, found was ${draft.proxy.url}`);
  }

  #addPins(draft: Draft): void {
    const { poolCertificates } = this.#site;
    if (draft.pins.length === 0) return;
    if (!poolCertificates) this.#append(pinLines(draft).filter((line) => line !== ''));
    else if (draft.pins.some(({ value }) => !poolCertificates.includes(value))) {
      this.told.push('pool-certificates: the pool shows others than the file has');
    }
  }

  /** New keys of a mapping: at its end, or as a mapping of its own at the end of the file. */
  #addTo<T>(
    name: string,
    entries: readonly T[],
    block: (entry: T, indent: string) => readonly string[],
    flow: (entry: T) => string,
  ): void {
    if (entries.length === 0) return;
    const node = this.#valueOf(name);
    if (node === undefined) this.#append([`${name}:`, ...entries.flatMap((entry) => block(entry, '  '))]);
    else if (isMap<Node, Node>(node) && node.range && node.flow === true) {
      const text = entries.map(flow).join(', ');
      this.#insertClosing(node.range[1], node.items.length > 0 ? `, ${text}` : ` ${text} `);
    } else if (isMap<Node, Node>(node) && node.range && node.items.length > 0) {
      const indent = ' '.repeat(this.#columnOf(node.range[0]));
      this.#insertLines(
        node.range[1],
        entries.flatMap((entry) => block(entry, indent)),
      );
    } else this.told.push(`${name}: nothing can be added to it as it is written`);
  }

  #addItems(start: number, end: number, lines: readonly string[]): void {
    const indent = ' '.repeat(this.#columnOf(start));
    this.#insertLines(
      end,
      lines.map((line) => `${indent}${line}`),
    );
  }

  /** Before the bracket that ends there, and the blank before it. */
  #insertClosing(end: number, text: string): void {
    const before = this.#source.slice(0, end - 1).trimEnd().length;
    const at = text.startsWith(',') ? before : end - 1;
    this.#insertions.push({ at, text });
  }

  /** Behind the line in which `end` lies. */
  #insertLines(end: number, lines: readonly string[]): void {
    const last = Math.max(0, this.#source.slice(0, end).trimEnd().length);
    const at = this.#source.indexOf('\n', last);
    const text = lines.map((line) => line + this.#newline).join('');
    if (at < 0) this.#insertions.push({ at: this.#source.length, text: this.#newline + text });
    else this.#insertions.push({ at: at + 1, text });
  }

  #append(lines: readonly string[]): void {
    const isEnded = this.#source.endsWith('\n') || this.#insertions.some(({ at }) => at === this.#source.length);
    const text = ['', ...lines].map((line) => line + this.#newline).join('');
    this.#insertions.push({ at: this.#source.length, text: isEnded ? text : this.#newline + text });
  }

  #columnOf(offset: number): number {
    return offset - (this.#source.lastIndexOf('\n', offset - 1) + 1);
  }

  #valueOf(name: string): Node | null | undefined {
    return pairOf(this.#top, name)?.value;
  }

  #within(section: string, name: string): Node | null | undefined {
    const node = this.#valueOf(section);
    return isMap<Node, Node | null>(node) ? pairOf(node, name)?.value : undefined;
  }
}

const itemOf = (host: HostFinding): string => `- ${flowHost(host)} ${comment(host.from)}`;

const flowRole = ({ hosts, domain }: DraftRole): string =>
  domain ? `{ domain: ${scalar(domain.value)} }` : `[${hosts.map(flowHost).join(', ')}]`;

const keyOf = (key: unknown): unknown => (isScalar(key) ? key.value : undefined);

const pairOf = (map: YAMLMap<Node, Node | null>, name: string): Pair<Node, Node | null> | undefined =>
  map.items.find(({ key }) => keyOf(key) === name);
