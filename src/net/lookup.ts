/** The `lookup` that a library's connector wants, by our own resolver. */
import type { NameResolver } from './resolver.ts';

type LookedUp = (error: Error | null, addresses: { address: string; family: number }[]) => void;

/** Names by our own resolver; Node then tries the addresses. */
export function lookupBy(resolver: NameResolver) {
  return (name: string, _options: unknown, done: LookedUp): void => void lookUp(name, resolver, done);
}

async function lookUp(name: string, resolver: NameResolver, done: LookedUp): Promise<void> {
  try {
    const found = await resolver.addresses(name);
    done(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)), []);
  }
}
