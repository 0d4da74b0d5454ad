/**
 * Reads a YAML or JSON file into plain values and remembers where each stood. A file may come from anywhere, so its size,
 * tokens, depth and expanded size are bounded while it is read: what the library makes of a text can take a thousand times
 * its size. What YAML takes silently (duplicate keys, unknown tags) is an error here.
 */
import type * as Yaml from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import { UsageError } from '../model/errors.ts';
import { firstOf, maxTold, show, throwIfAny, type Fault, type Path, type Places } from './faults.ts';
import { maxFileBytes, tooLarge } from './read-file.ts';

const maxDepth = 40;
const tooDeep = `is nested too deeply; at most ${maxDepth} levels are read`;
/** Values in the file, aliases written out. */
const maxValues = 100_000;
/** A value takes two to five tokens, blanks and line ends among them. */
const maxTokens = 310_000;
const maxLines = 200_000;

export interface YamlDocument extends Places {
  /** Strings, finite numbers, booleans, null, arrays and plain objects. */
  readonly value: unknown;
}

/** JSON is YAML, so one reader does for both. */
export async function parseYaml(source: string | Uint8Array, file: string): Promise<YamlDocument> {
  const text = decodeText(source, file);
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  const document = composed(yaml, text, lines, (offset, what) => new UsageError(`${file}:${at(offset)} ${what}`));
  const exhausted = document.errors.filter(({ code }) => code === 'RESOURCE_EXHAUSTION').slice(0, 1);
  const broken = exhausted.length > 0 ? exhausted : [...document.errors, ...document.warnings];
  if (broken.length > 0) {
    const sentences = broken.map((error) => `${file}:${at(error.pos[0])} ${sentenceOf(error.code, error.message)}`);
    throw new UsageError(firstOf(sentences).join('\n'));
  }
  if (document.contents === null) throw new UsageError(`${file}:1:1 is empty; write at least one key`);

  const { value, faults, nodeAt } = plainValue(yaml, document);
  const places = { file, positionOf: (path: Path, atKey?: boolean) => at(nodeAt(path, atKey)) };
  throwIfAny(faults, places);
  return { value, ...places };
}

/** As `parseDocument` of the library does it, stopped at the first token that shows that the rest need not be read. */
function composed(
  yaml: typeof Yaml,
  text: string,
  lines: Yaml.LineCounter,
  refusal: (offset: number, what: string) => UsageError,
): Document.Parsed {
  // Duplicate keys are looked for below: the library compares every key with every other.
  const composer = new yaml.Composer({ lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const parser = new yaml.Parser(lines.addNewLine);
  lines.addNewLine(0);
  const documents: Yaml.Document.Parsed[] = [];
  let tokens = 0;
  let offset = 0;
  /** False once nothing that follows can matter. */
  const take = (parsed: Iterable<Yaml.CST.Token>): boolean => {
    for (const token of parsed) {
      documents.push(...composer.next(token));
      if (token.type === 'error' || token.type === 'directive' || documents.length > 1) return false;
    }
    return true;
  };
  let goesOn = true;
  for (const lexeme of new yaml.Lexer().lex(text)) {
    tokens += 1;
    if (tokens > maxTokens) throw refusal(offset, `holds more than ${maxTokens} words and signs; keep it smaller`);
    if (parser.stack.length > 2 * maxDepth) throw refusal(offset, tooDeep);
    goesOn = take(parser.next(lexeme));
    if (!goesOn) break;
    offset += lexeme.length;
  }
  if (goesOn) take(parser.end());
  documents.push(...composer.end(true, text.length));
  const [document, another] = documents;
  if (another) throw refusal(another.range[0], sentenceOf('MULTIPLE_DOCS', ''));
  return document!;
}

interface PlainValue {
  readonly value: unknown;
  readonly faults: readonly Fault[];
  /** The offset of what stands at a path, or of the nearest thing above it. */
  readonly nodeAt: (path: Path, atKey?: boolean) => number;
}

/** Turns nodes into values. An alias shares its anchor's value; its size counts each time. */
function plainValue(yaml: typeof Yaml, document: Document.Parsed): PlainValue {
  const values = new Values(yaml);
  const value = values.of(document.contents, []);
  return { value, faults: values.faults, nodeAt: (path, atKey) => values.offsetAt(document.contents, path, atKey) };
}

interface Anchor {
  readonly node: Node;
  readonly value: unknown;
  readonly size: number;
}

class Values {
  readonly faults: Fault[] = [];
  readonly #yaml: typeof Yaml;
  readonly #anchors = new Map<string, Anchor>();
  #size = 0;

  constructor(yaml: typeof Yaml) {
    this.#yaml = yaml;
  }

  of(node: Node | null, path: Path): unknown {
    this.#size += 1;
    if (this.#size > maxValues) return this.#fault(path, `holds more than ${maxValues} values; keep it smaller`);
    if (path.length > maxDepth) return this.#fault(path, tooDeep);
    if (this.#yaml.isAlias(node)) return this.#aliased(node.source, path);
    const before = this.#size;
    const value = this.#contentsOf(node, path);
    if (node?.anchor !== undefined) this.#anchors.set(node.anchor, { node, value, size: this.#size - before });
    return value;
  }

  /** Of what stands at a path. The last of equal keys, so that a duplicate is what is pointed at. */
  offsetAt(top: Node | null, path: Path, atKey = false): number {
    const yaml = this.#yaml;
    let node = top;
    let offset = offsetOf(node) ?? 0;
    for (const [i, step] of path.entries()) {
      if (yaml.isAlias(node)) node = this.#anchors.get(node.source)?.node ?? null;
      let key: Node | null = null;
      if (yaml.isSeq<Node>(node) && typeof step === 'number') node = node.items[step] ?? null;
      else if (yaml.isMap<Node, Node>(node)) {
        const pair = node.items.findLast((item) => this.#keyOf(item.key) === String(step));
        key = pair?.key ?? null;
        node = pair?.value ?? null;
      } else break;
      const isLast = i === path.length - 1;
      offset = offsetOf(isLast && atKey ? key : node) ?? offsetOf(key) ?? offset;
    }
    return offset;
  }

  #aliased(name: string, path: Path): unknown {
    const anchor = this.#anchors.get(name);
    if (!anchor) return this.#fault(path, `the alias "*${name}" has no anchor "&${name}" before it`);
    this.#size += anchor.size;
    return anchor.value;
  }

  #contentsOf(node: Node | null, path: Path): unknown {
    if (this.#yaml.isSeq<Node>(node)) return node.items.map((item, i) => this.of(item, [...path, i]));
    if (this.#yaml.isMap<Node, Node>(node)) return this.#mapping(node.items, path);
    if (!this.#yaml.isScalar(node)) return null;
    if (typeof node.value === 'number' && !Number.isFinite(node.value)) {
      return this.#fault(path, `${node.source ?? 'this'} is not a number that can be used here`);
    }
    return node.value;
  }

  #mapping(items: readonly Pair<Node, Node>[], path: Path): unknown {
    const result: Record<string, unknown> = {};
    for (const { key: keyNode, value: item } of items) {
      const key = this.#keyOf(keyNode);
      if (key === null) this.#fault(path, 'a key must be a word, not a list or a mapping');
      else if (key in Object.prototype || key === 'prototype') this.#fault(path, `unknown key "${key}"`);
      else if (Object.hasOwn(result, key)) {
        this.#fault([...path, key], `the key ${show(key)} is here a second time; keep one of them`, true);
      } else result[key] = this.of(item, [...path, key]);
    }
    return result;
  }

  #fault(path: Path, text: string, atKey = false): null {
    // Once is enough for what holds of the whole file, and nobody reads thousands.
    const { faults } = this;
    const isTold = faults.length >= maxTold || (this.#size > maxValues && faults.some((known) => known.text === text));
    if (!isTold) faults.push({ path, text, atKey });
    return null;
  }

  #keyOf(node: Node | null): string | null {
    if (!this.#yaml.isScalar(node)) return node === null ? '' : null;
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  }
}

const offsetOf = (node: Node | null): number | undefined => node?.range?.[0];

function decodeText(source: string | Uint8Array, file: string): string {
  const size = typeof source === 'string' ? Buffer.byteLength(source) : source.length;
  if (size > maxFileBytes) throw tooLarge(file);
  const text = typeof source === 'string' ? source : decodeUtf8(source, file);
  for (let lineEnds = 0, at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    lineEnds += 1;
    if (lineEnds > maxLines) throw new UsageError(`${file}: has more than ${maxLines} lines; give a smaller file`);
  }
  const nul = text.indexOf('\0');
  if (nul >= 0)
    throw new UsageError(`${file}:${lineOf(text, nul)}:1 is a binary file (it holds a NUL); give a text file`);
  return text;
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError(`${file}:1:1 is not UTF-8 text; save it as UTF-8`, { cause });
  }
}

const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

/** The library says what it met (what it quotes may be a secret); what to do about the usual slips is ours to say. */
function sentenceOf(code: string, message: string): string {
  const sentences: Record<string, string> = {
    TAB_AS_INDENT: 'a tab cannot indent; use spaces',
    MULTIPLE_DOCS: 'a second document begins here; keep one document in a file',
    TAG_RESOLVE_FAILED: 'tags (!...) are not used here; remove it',
    RESOURCE_EXHAUSTION: tooDeep,
    BAD_DIRECTIVE: 'directives (%...) are not used here; remove it',
  };
  return sentences[code] ?? `not valid YAML: ${message.replace(/: ".*$/s, '')}`;
}
