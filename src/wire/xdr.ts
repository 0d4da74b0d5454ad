/** XDR, the encoding under ONC RPC: everything in units of four bytes, big-endian. RFC 4506. */
import { DecodeError, type Reader } from './reader.ts';

export function encodeWords(...words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word);
  return bytes;
}

/** Length, bytes, and zero to three bytes that fill the last word. */
export function readOpaque(reader: Reader, maxLength: number): Uint8Array {
  const length = reader.uint32();
  if (length > maxLength) throw new DecodeError(`${length} bytes where at most ${maxLength} may be`, 0);
  const bytes = reader.bytes(length);
  reader.bytes((4 - (length % 4)) % 4);
  return bytes;
}
