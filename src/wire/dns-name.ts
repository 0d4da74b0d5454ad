/**
 * A domain name as DNS packs it: labels with a length byte each, ended by an empty one or by a pointer to an earlier
 * name. Pointers may only lead back, so a name cannot loop. RFC 1035 sections 3.1 and 4.1.4.
 */
import { DecodeError } from './reader.ts';
import { printable } from './text.ts';

const maxNameLength = 255;
const maxPointers = 16;
const pointer = 0xc0;

export interface DnsName {
  /** Labels joined by dots; "" for the root. */
  readonly name: string;
  /** Where the message goes on after the name. */
  readonly next: number;
}

/** `offset` and the pointers count from the start of `message`. */
export function decodeName(message: Uint8Array, offset: number): DnsName {
  const labels: string[] = [];
  const next = walk(message, offset, labels);
  return { name: labels.join('.'), next };
}

/** Where the message goes on after a name that keeps within its bounds: for whoever does not need to know it. */
export const passName = (message: Uint8Array, offset: number): number => walk(message, offset, undefined);

function walk(message: Uint8Array, offset: number, labels: string[] | undefined): number {
  let next: number | undefined;
  let at = offset;
  let lowest = offset;
  let length = 0;
  let pointers = 0;
  for (;;) {
    const byte = message[at];
    if (byte === undefined) throw new DecodeError('the name is cut short', at);
    if (byte === 0) return next ?? at + 1;
    if ((byte & pointer) === pointer) {
      const low = message[at + 1];
      if (low === undefined) throw new DecodeError('the name is cut short', at + 1);
      const target = ((byte & ~pointer) << 8) | low;
      if (target >= lowest || ++pointers > maxPointers) throw new DecodeError(`the name points to byte ${target}`, at);
      next ??= at + 2;
      at = lowest = target;
      continue;
    }
    if ((byte & pointer) !== 0) throw new DecodeError(`a label of type ${byte >> 6}`, at);
    const end = at + 1 + byte;
    if (end > message.length) throw new DecodeError('the name is cut short', message.length);
    length += byte + 1;
    if (length > maxNameLength) throw new DecodeError(`a name of more than ${maxNameLength} bytes`, at);
    labels?.push(printable(message.subarray(at + 1, end)));
    at = end;
  }
}
