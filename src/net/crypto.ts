/** Node's cryptography, loaded at its first use: 8 ms of a run that draws no random byte and prints no hash. */
import type * as nodeCrypto from 'node:crypto';

export const crypto = (): typeof nodeCrypto => process.getBuiltinModule('node:crypto');
