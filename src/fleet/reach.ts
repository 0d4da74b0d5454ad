/**
 * What an agent may contact, by its own file: networks for addresses, names for names. Whoever takes the hub, or the
 * operator's key, cannot make it look at anything else.
 */
import { canonicalHost, isAddress } from '../model/address.ts';
import type { Plan } from '../model/plan.ts';
import type { Site } from '../model/site.ts';
import { networksOf, type Networks } from '../net/networks.ts';

const anything = 'any';
const name = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?$/;

export class Reach {
  readonly #isAny: boolean;
  readonly #networks: Networks | undefined;
  readonly #names: readonly string[];

  static isEntry(text: string): boolean {
    return text === anything || networksOf([text]) !== undefined || name.test(text.toLowerCase());
  }

  static of(entries: readonly string[]): Reach {
    return new Reach(entries);
  }

  private constructor(entries: readonly string[]) {
    const isNetwork = (text: string): boolean => networksOf([text]) !== undefined;
    this.#isAny = entries.includes(anything);
    this.#networks = networksOf(entries.filter(isNetwork));
    this.#names = entries.filter((text) => !isNetwork(text)).map((text) => text.toLowerCase());
  }

  has(host: string): boolean {
    if (this.#isAny) return true;
    if (isAddress(host)) return this.#networks?.has(host) === true;
    const wanted = canonicalHost(host);
    return this.#names.some((entry) => (entry.startsWith('*.') ? wanted.endsWith(entry.slice(1)) : wanted === entry));
  }

  /**
   * The first thing that this would contact and may not; null where there is none. The vendor's names come from the
   * agent's own table, unless the site puts others in their place.
   */
  outside(site: Site, plan: Plan): string | null {
    const own = Object.keys(site.names ?? {}).length === 0;
    const hosts = plan.checks.flatMap(({ host, address, uses }) =>
      own && uses.every(({ isVendors }) => isVendors) ? [] : [address ?? host],
    );
    const proxies = site.proxy ? [new URL(site.proxy.url).hostname] : [];
    const domains = Object.values(site.roles).flatMap(({ domain }) => domain ?? []);
    return [...hosts, ...proxies, ...domains].find((each) => !this.has(each)) ?? null;
  }
}
