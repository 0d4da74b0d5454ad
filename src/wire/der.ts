/**
 * Tag, length, value: ASN.1 as LDAP (BER) and Kerberos (DER) write it. Definite lengths and one-byte tags only; a length
 * may be longer than it need be, as Active Directory's are. Nothing here recurses: a decoder opens the levels its grammar
 * has, so the peer cannot choose the depth, and every length is checked against what holds it. X.690 section 8.1.
 */
import { DecodeError } from './reader.ts';

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  enumerated: 0x0a,
  generalizedTime: 0x18,
  generalString: 0x1b,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The constructed tags [n] and [APPLICATION n]. */
export const context = (n: number): number => 0xa0 | n;
export const application = (n: number): number => 0x60 | n;

const maxLengthBytes = 4;

export function encode(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const value = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.from([tag, ...lengthBytes(value.length)]), value]);
}

export function encodeInteger(value: number, tag: number = tags.integer): Uint8Array {
  const bytes = [value & 0xff];
  for (let rest = value >> 8; rest > 0 || bytes[0]! > 0x7f; rest >>= 8) bytes.unshift(rest & 0xff);
  return encode(tag, Uint8Array.from(bytes));
}

export function encodeText(text: string, tag: number = tags.generalString): Uint8Array {
  return encode(tag, Buffer.from(text));
}

/** Reads elements one after another; `enter` gives a reader of what is inside. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#offset = start;
    this.#end = end;
  }

  get offset(): number {
    return this.#offset;
  }

  get isDone(): boolean {
    return this.#offset >= this.#end;
  }

  /** Whether the next element has this tag. */
  sees(tag: number): boolean {
    return !this.isDone && this.#bytes[this.#offset] === tag;
  }

  enter(tag: number): DerReader {
    const { start, end } = this.#take(tag);
    return new DerReader(this.#bytes, start, end);
  }

  /** For an OPTIONAL element. */
  enterIf(tag: number): DerReader | undefined {
    return this.sees(tag) ? this.enter(tag) : undefined;
  }

  octets(tag: number = tags.octetString): Uint8Array {
    const { start, end } = this.#take(tag);
    return this.#bytes.subarray(start, end);
  }

  /** Two's complement, at most 32 bits. */
  integer(tag: number = tags.integer): number {
    const at = this.#offset;
    const octets = this.octets(tag);
    if (octets.length < 1 || octets.length > 4) throw new DecodeError(`an integer of ${octets.length} bytes`, at);
    return Buffer.from(octets).readIntBE(0, octets.length);
  }

  skip(): void {
    this.#take();
  }

  #take(tag?: number): { readonly start: number; readonly end: number } {
    const at = this.#offset;
    const found = this.#byte();
    if (tag !== undefined && found !== tag) throw new DecodeError(`tag ${hex(found)} where ${hex(tag)} belongs`, at);
    if ((found & 0x1f) === 0x1f) throw new DecodeError('a tag of more than one byte', at);
    const length = this.#length();
    const start = this.#offset;
    if (length > this.#end - start) throw new DecodeError(`need ${length} bytes, have ${this.#end - start}`, start);
    this.#offset = start + length;
    return { start, end: this.#offset };
  }

  #length(): number {
    const at = this.#offset;
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count < 1 || count > maxLengthBytes) throw new DecodeError(`a length in the form ${hex(first)}`, at);
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    return length;
  }

  #byte(): number {
    const byte = this.isDone ? undefined : this.#bytes[this.#offset];
    if (byte === undefined) throw new DecodeError('the element is cut short', this.#offset);
    this.#offset++;
    return byte;
  }
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`;
