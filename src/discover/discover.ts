/**
 * What this machine, its pool and DNS know, as one draft of a site. Each source is asked by itself, beside the others, and
 * what one has learned is kept when another fails or the time is over.
 */
import type { LoadedSpec } from '../model/spec.ts';
import { NameResolver } from '../net/resolver.ts';
import { openXapi, type XapiLimits } from '../net/xapi-client.ts';
import { draftOf, type Draft } from './draft.ts';
import type { Source } from './finding.ts';
import type { Self } from './pool/view.ts';
import { xapiSource } from './xapi-source.ts';
import type { Login } from './xapi.ts';

export interface Wanted {
  /** The pool; null: nobody is asked. */
  readonly login: Login | null;
  readonly self: Self;
  readonly wantsVms: boolean;
  readonly signal: AbortSignal;
}

export interface Discovered {
  readonly sources: readonly Source[];
  readonly draft: Draft;
}

/** A pool of 64 hosts with thousands of VMs answers with some ten megabytes. */
const xapiLimits: XapiLimits = { timeoutMs: 15_000, maxBytes: 32 << 20, maxTotalBytes: 128 << 20 };

export async function discover(wanted: Wanted, spec: LoadedSpec): Promise<Discovered> {
  const sources = await askPool(wanted);
  return { sources, draft: draftOf(sources, spec) };
}

async function askPool({ login, self, wantsVms, signal }: Wanted): Promise<readonly Source[]> {
  if (!login) return [];
  const resolver = new NameResolver({ family: 'any', timeoutMs: 2500, tries: 2 });
  try {
    const open = (endpoint: Login['endpoint']) => openXapi(endpoint, resolver, xapiLimits);
    return [await xapiSource(login, self, { open, signal, wantsVms })];
  } finally {
    resolver.cancel();
  }
}
