/** How domain controllers introduce themselves: the LDAP ping of every domain member, the root DSE where UDP is shut. */
import type { Introduction } from '../load/controllers.ts';
import type { Evidence } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import { run, type RunSettings } from '../run/run.ts';

/** Discovery is not the check: whoever is slow to say its name is not waited for. */
const patienceMs = 2000;

const ports = { cldap: 389, ldap: 389 } as const;
type Asking = keyof typeof ports;

/** By the controllers' names; whoever does not answer, or serves another domain, is not in it. */
export async function introductionsOf(
  controllers: readonly string[],
  domain: string,
  settings: RunSettings,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, Introduction>> {
  const known = new Map<string, Introduction>();
  for (const probe of ['cldap', 'ldap'] as const) {
    const checks = controllers.filter((name) => !known.has(name)).map((name) => checkOf(probe, name, domain));
    if (checks.length === 0) break;
    const timeoutMs = Math.min(settings.timeoutMs, patienceMs);
    const control = run(
      checks,
      { ...settings, timeoutMs, retries: Math.min(settings.retries, 1) },
      {
        onObservation: ({ check: { host }, observation: { outcome, evidence } }) => {
          const said = outcome === 'answered' ? introductionIn(evidence) : undefined;
          if (said) known.set(host, said);
        },
        onSelf: () => undefined,
        // The check of the controller itself will meet it again, and tell it.
        onBug: () => undefined,
      },
    );
    const stop = (): void => control.stop('the run ended first');
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
    // The second way is for those that the first did not reach.
    await control.done;
    signal?.removeEventListener('abort', stop);
  }
  return known;
}

function introductionIn({ forest, roles, isGlobalCatalogReady }: Evidence): Introduction | undefined {
  if (typeof forest !== 'string' || forest === '') return undefined;
  const isNamed = Array.isArray(roles) && roles.includes('global-catalog');
  return { forest, isGlobalCatalog: isNamed || isGlobalCatalogReady === true };
}

const checkOf = (probe: Asking, host: string, domain: string): Check => ({
  id: `${probe}/${host}`,
  probe,
  transport: probe === 'cldap' ? 'udp' : 'tcp',
  host,
  address: null,
  port: ports[probe],
  options: probe === 'cldap' ? { domain } : { domain, globalCatalog: false },
  viaProxy: false,
  mayBeSelf: false,
  isName: false,
  isAnswerDue: false,
  uses: [],
});
