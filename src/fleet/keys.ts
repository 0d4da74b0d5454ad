/** Ed25519 keys as NATS writes them: the same kind logs in and signs. A seed ("SU…") is the secret, "U…" is who it is. */
import { UsageError } from '../model/errors.ts';
import { nkeys } from './bus.ts';

export interface Key {
  readonly seed: string;
  readonly name: string;
}

export const isKeyName = (text: string): boolean => /^U[A-Z2-7]{55}$/.test(text);

export async function newKey(): Promise<Key> {
  const pair = (await nkeys()).createUser();
  return { seed: new TextDecoder().decode(pair.getSeed()), name: pair.getPublicKey() };
}

/** Nothing of the seed is ever told. */
export async function keyOfSeed(seed: string, file: string): Promise<Key> {
  try {
    const pair = (await nkeys()).fromSeed(new TextEncoder().encode(seed));
    const name = pair.getPublicKey();
    if (isKeyName(name)) return { seed, name };
  } catch {
    // Said below, without what stands there.
  }
  throw new UsageError(`${file}: holds no key of a user ("SU…"), as xenreach fleet init and add make them`);
}

export async function signBy({ seed }: Key, bytes: Uint8Array): Promise<Uint8Array> {
  return (await nkeys()).fromSeed(new TextEncoder().encode(seed)).sign(bytes);
}

export async function isSignedBy(name: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
  try {
    return (await nkeys()).fromPublic(name).verify(bytes, signature);
  } catch {
    return false;
  }
}
