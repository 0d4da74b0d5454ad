/** Node's cryptography, loaded at its first use: a run that draws no random byte and prints no hash needs none. */
import type * as nodeCrypto from 'node:crypto';

export const crypto = (): typeof nodeCrypto => process.getBuiltinModule('node:crypto');

/** Random bytes are drawn by the block, and each is used once: a draw for each transaction id costs more than the id. */
const blockBytes = 4096;
let block = new Uint8Array();

export function randomBytes(length: number): Uint8Array {
  if (length > block.length) block = crypto().randomBytes(Math.max(blockBytes, length));
  const bytes = new Uint8Array(block.subarray(0, length));
  block = block.subarray(length);
  return bytes;
}

/** Tags for the messages of a pair: the first half of an HMAC-SHA-256 (RFC 2104, 5 allows the half). */
export function tagWith(key: Uint8Array): (...parts: readonly Uint8Array[]) => Uint8Array {
  const { createHmac } = crypto();
  return (...parts) => {
    const hmac = createHmac('sha256', key);
    for (const part of parts) hmac.update(part);
    return new Uint8Array(hmac.digest().subarray(0, 16));
  };
}

/** What may be shown of a key. */
export const keyId = (key: Uint8Array): string => crypto().createHash('sha256').update(key).digest('hex').slice(0, 8);
