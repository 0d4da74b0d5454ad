/**
 * What this machine, its pool and DNS know, as one draft of a site. Each source is asked by itself, beside the others, and
 * what one has learned is kept when another fails or the time is over.
 */
import type { Introduction } from '../load/controllers.ts';
import type { Product } from '../load/product.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { NameResolver } from '../net/resolver.ts';
import { openXapi, type XapiLimits } from '../net/xapi-client.ts';
import { dnsSource, type DomainGuess } from './dns.ts';
import { draftOf, type Draft } from './draft.ts';
import type { Finding, Source } from './finding.ts';
import type { Self } from './pool/view.ts';
import { systemFiles } from './system/files.ts';
import { searchDomains } from './system/names.ts';
import { systemSource } from './system/system.ts';
import { xapiSource } from './xapi-source.ts';
import type { Login } from './xapi.ts';

export interface Wanted {
  /** The pool; null: nobody is asked. */
  readonly login: Login | null;
  /** Below which folder the system's files are read; null: they are not. */
  readonly root: string | null;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Read already: the installer's answer file. */
  readonly answers?: Source | undefined;
  readonly domain?: string | undefined;
  readonly self: Self;
  readonly wantsVms: boolean;
  /** The pool's alerts too, for the rows of a check. */
  readonly wantsAlerts?: boolean;
  /** False: not even the resolvers are asked. */
  readonly asksDns?: boolean;
  readonly signal: AbortSignal;
  /** Absent: no controller is asked, only the resolvers are. */
  readonly introductions?: (
    controllers: readonly string[],
    domain: string,
  ) => Promise<ReadonlyMap<string, Introduction>>;
}

export interface Discovered {
  readonly sources: readonly Source[];
  readonly draft: Draft;
  /** What the draft was held against. */
  readonly spec: LoadedSpec;
}

/** One that is given, or the one for what the pool or this host says that it is. */
export type SpecChoice = LoadedSpec | ((product: Product | null) => Promise<LoadedSpec>);

/** A pool of 64 hosts with thousands of VMs answers with some ten megabytes. */
const xapiLimits: XapiLimits = { timeoutMs: 15_000, maxBytes: 32 << 20, maxTotalBytes: 128 << 20 };

export async function discover(wanted: Wanted, choice: SpecChoice): Promise<Discovered> {
  const { root, environment, answers, signal } = wanted;
  const resolver = new NameResolver({ family: 'any', timeoutMs: 2500, tries: 2 });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const files = root === null ? [] : [systemSource(root, environment)];
    const pool = await askPool(wanted, resolver);
    const known = [...(answers ? [answers] : []), ...pool, ...files].flatMap(({ findings }) => findings);
    const dns = await askDns(wanted, known, resolver);
    // The first source wins where only one can: what was named, then the pool, then this machine.
    const sources = [...(answers ? [answers] : []), ...pool, ...files, ...dns];
    const ordered = wanted.domain === undefined ? sources : [...dns, ...sources.filter((each) => !dns.includes(each))];
    const product = productOf(ordered);
    const spec = typeof choice === 'function' ? await choice(product) : choice;
    return { sources: ordered, draft: draftOf(ordered, spec), spec };
  } finally {
    signal.removeEventListener('abort', cancel);
    resolver.cancel();
  }
}

/** Whose word counts: the first source's. */
export function productOf(sources: readonly Source[]): Product | null {
  const [product] = sources.flatMap(({ findings }) => findings.filter((each) => each.kind === 'product'));
  return product ?? null;
}

async function askPool(
  { login, self, wantsVms, wantsAlerts = false, signal }: Wanted,
  resolver: NameResolver,
): Promise<readonly Source[]> {
  if (!login) return [];
  const open = (endpoint: Login['endpoint']) => openXapi(endpoint, resolver, xapiLimits);
  return [await xapiSource(login, self, { open, signal, wantsVms, wantsAlerts })];
}

async function askDns(wanted: Wanted, known: readonly Finding[], resolver: NameResolver): Promise<readonly Source[]> {
  const { introductions, asksDns = true } = wanted;
  const guesses = asksDns ? guessesFrom(wanted, known) : [];
  if (guesses.length === 0) return [];
  const services = (name: string) => resolver.services(name);
  return [await dnsSource(guesses, { services, ...(introductions && { introductions }) })];
}

/** The domain that was named; else the one that is known, where there is more to tell of it than a check finds by itself. */
function guessesFrom({ domain, root, introductions }: Wanted, known: readonly Finding[]): readonly DomainGuess[] {
  if (domain !== undefined) return [{ domain: domain.toLowerCase(), how: 'named', from: '--domain' }];
  const found = known.flatMap((each): DomainGuess[] =>
    each.kind === 'domain' ? [{ domain: each.domain, how: 'known', from: each.from }] : [],
  );
  if (found.length > 0) return introductions ? found.slice(0, 1) : [];
  const search = root === null ? [] : searchDomains(systemFiles(root));
  return search.map((each) => ({ domain: each, how: 'guessed', from: 'search domain of /etc/resolv.conf' }));
}
